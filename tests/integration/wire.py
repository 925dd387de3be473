"""Sends anything at all to a model, as a client that knows no rules would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import grpc

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.local_targets import proxy_options
from penchant_proto.methods import METHODS, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call, Reply

_METHOD = "/inference.GRPCInferenceService/ModelInfer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    code: grpc.StatusCode
    text: str
    """Of the error."""
    reply: Reply


class Wire:
    """One connection."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._infer = channel.unary_unary(
            _METHOD,
            request_serializer=kserve_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=kserve_pb2.ModelInferResponse.FromString,
        )

    def send(self, request: kserve_pb2.ModelInferRequest) -> Answer:
        try:
            response = self._infer(request, timeout=60.0)
        except grpc.RpcError as error:
            call = cast(grpc.Call, error)  # Which the errors of calls are too.
            return Answer(call.code(), call.details() or "", Reply())
        raw = b"".join(response.raw_output_contents)
        return Answer(grpc.StatusCode.OK, "", Reply.FromString(raw[4:]))

    def send_payload(self, model: str, payload: bytes) -> Answer:
        return self.send(request_of(model, [payload]))

    def call(self, call: Call) -> Answer:
        """A call to the model that answers its method."""
        method = call.WhichOneof("method")
        assert method is not None
        return self.send_payload(METHODS[method].model, call.SerializeToString())


def request_of(
    model: str,
    elements: Sequence[bytes],
    *,
    name: str = REQUEST_TENSOR,
    datatype: str = "BYTES",
    shape: Sequence[int] = (1, 1),
) -> kserve_pb2.ModelInferRequest:
    """A request with one tensor, which may be all wrong."""
    tensor = kserve_pb2.ModelInferRequest.InferInputTensor(
        name=name, datatype=datatype, shape=shape
    )
    raw = b"".join(len(part).to_bytes(4, "little") + part for part in elements)
    return kserve_pb2.ModelInferRequest(model_name=model, inputs=[tensor], raw_input_contents=[raw])


@contextmanager
def connected(target: str) -> Iterator[Wire]:
    """A connection to a server, with room for large requests."""
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    options += proxy_options(target)
    with grpc.insecure_channel(target, options=options) as channel:
        yield Wire(channel)
