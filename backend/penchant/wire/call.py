"""The outermost message: from a payload's bytes to one method and its request."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from penchant.domain.errors import InvalidRequest
from penchant_proto.v1.service_pb2 import Call


def parse_call(payload: bytes) -> tuple[str, Any]:
    """The field of `Call.method` that is set, and its request message.

    Raises:
        InvalidRequest: the bytes are not a call, or the call has no method.

    >>> call = Call()
    >>> call.forget_user.user = "ann"
    >>> field, message = parse_call(call.SerializeToString())
    >>> field, message.user
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
    return field, getattr(call, field)
