"""Maps each method of the contract to its Triton model and its field in `Call` and `Reply`.

The table is read from `service.proto`, in which each method names its model.

    >>> METHODS["rank"].model
    'penchant_rank'
    >>> sorted({method.model for method in METHODS.values()})[:2]
    ['penchant_catalog', 'penchant_encoder']
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor

from penchant_proto.v1 import service_pb2

REQUEST_TENSOR = "REQUEST"
"""Name of every model's input tensor: BYTES, shape [1, 1], a serialized `Call`."""

REPLY_TENSOR = "REPLY"
"""Name of every model's output tensor: BYTES, shape [1, 1], a serialized `Reply`."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the contract."""

    name: str
    """Name in the service, for example `PutItems`."""
    field: str
    """Field in `Call` and in `Reply`, for example `put_items`."""
    model: str
    """Name of the Triton model that answers the method."""


def _read_methods() -> dict[str, Method]:
    fields = {
        field.message_type.full_name: field.name
        for field in service_pb2.Call.DESCRIPTOR.oneofs_by_name["method"].fields
        if field.message_type is not None
    }
    service = service_pb2.DESCRIPTOR.services_by_name["Penchant"]
    methods = [
        Method(
            name=method.name,
            field=fields[method.input_type.full_name],
            model=_option(method, "model"),
        )
        for method in service.methods
    ]
    return {method.field: method for method in methods}


def _option(method: MethodDescriptor, name: str) -> str:
    options = {field.name: value for field, value in method.GetOptions().ListFields()}
    return str(options[name])


METHODS: dict[str, Method] = _read_methods()
"""All methods, by field name."""


def methods_of(model: str) -> frozenset[str]:
    """The fields of `Call` that a Triton model answers.

    >>> sorted(methods_of("penchant_users"))
    ['export_user', 'forget_user', 'get_user', 'merge_users']
    """
    return frozenset(field for field, method in METHODS.items() if method.model == model)
