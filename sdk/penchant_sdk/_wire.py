r"""Encodes calls as KServe v2 requests and decodes the responses, without I/O.

>>> body = encode("penchant_rank", b"", timeout_s=0.3)
>>> raw = kserve_pb2.ModelInferRequest.FromString(body).raw_input_contents[0]
>>> Call.FromString(raw[4:]).timeout_ms
300
"""

from __future__ import annotations

import struct

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.methods import METHODS, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call
from penchant_sdk.errors import ServerError

SERVICE = "/inference.GRPCInferenceService"
MODELS = tuple(sorted({method.model for method in METHODS.values()}))
"""Names of all Triton models of Penchant."""

_LENGTH = struct.Struct("<I")
_LONGEST_MS = 2**32 - 1


def _head(model: str) -> bytes:
    tensor = kserve_pb2.ModelInferRequest.InferInputTensor(
        name=REQUEST_TENSOR, datatype="BYTES", shape=[1, 1]
    )
    return kserve_pb2.ModelInferRequest(model_name=model, inputs=[tensor]).SerializeToString()


# Two serialized messages of one type, concatenated, parse as their merger. So the part that never
# changes is serialized only once.
_HEADS = {model: _head(model) for model in MODELS}


def encode(model: str, payload: bytes, timeout_s: float, request_id: str = "") -> bytes:
    """A serialized ModelInferRequest that carries a call to the model.

    Args:
        model: name of the Triton model.
        payload: a serialized `Call`.
        timeout_s: seconds that the caller waits for this attempt. They travel with the call, so
            that the server does not work on it once nobody waits.
        request_id: names the attempt in the server's log; Triton repeats it in its response.
    """
    # A message behind a message parses as their merger, so a retry needs no new `Call`.
    milliseconds = min(_LONGEST_MS, max(1, round(timeout_s * 1e3)))
    payload += Call(timeout_ms=milliseconds).SerializeToString()
    tail = kserve_pb2.ModelInferRequest(
        id=request_id, raw_input_contents=[_LENGTH.pack(len(payload)) + payload]
    )
    return _HEADS[model] + tail.SerializeToString()


def decode(response: kserve_pb2.ModelInferResponse) -> bytes:
    """The payload of a response; raises ServerError if it does not come from Penchant's backend."""
    contents = response.raw_output_contents
    raw = contents[0] if len(contents) == 1 else b""
    if len(raw) < 4 or _LENGTH.unpack_from(raw)[0] != len(raw) - 4:
        raise ServerError(
            f"{response.model_name}: got {len(contents)} output tensors, the first of {len(raw)} "
            "bytes, expected one BYTES tensor of one element; is the model Penchant's?"
        )
    return raw[4:]
