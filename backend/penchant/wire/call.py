"""The outermost message: from a payload's bytes to one method and its request."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from penchant.domain.errors import InvalidRequest
from penchant_proto.v1.service_pb2 import Call


class CallParts(NamedTuple):
    """A call, taken apart."""

    field: str
    """The field of `Call.method` that is set."""
    message: Any
    """The method's request message."""
    timeout_ms: int
    health_check: bool


def parse_call(payload: bytes) -> CallParts:
    """The parts of a serialized call.

    Raises:
        InvalidRequest: the bytes are not a call, or the call has no method.

    >>> call = Call()
    >>> call.forget_user.user = "ann"
    >>> parts = parse_call(call.SerializeToString())
    >>> parts.field, parts.message.user
    ('forget_user', 'ann')
    """
    call = Call()
    try:
        call.ParseFromString(payload)
    except (DecodeError, UnicodeDecodeError):
        raise InvalidRequest(
            f"REQUEST: got {len(payload)} bytes, expected a serialized penchant.v1.Call"
        ) from None
    field = call.WhichOneof("method")
    if field is None:
        raise InvalidRequest("REQUEST: got a penchant.v1.Call without a method, expected one")
    return CallParts(field, getattr(call, field), call.timeout_ms, call.health_check)
