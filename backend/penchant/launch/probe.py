"""Asks each model of a running server for a small real piece of work.

A dead model process is never restarted, and readiness stays 200: only a request can tell.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import grpc

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.local_targets import proxy_options
from penchant_proto.methods import METHODS, REQUEST_TENSOR
from penchant_proto.v1 import catalog_pb2, embed_pb2, feedback_pb2, rank_pb2, user_pb2
from penchant_proto.v1.service_pb2 import Call, Reply

CANARY = "__canary__"
"""The reserved user and item of these requests."""

NOBODY = "nothing listens there"
"""The text of a result where the connection was refused."""

_METHOD = "/inference.GRPCInferenceService/ModelInfer"
_REASON = re.compile(r"\[([A-Z][A-Za-z]+)\] ")
_SICK = frozenset({"StoreUnavailable", "EncoderUnavailable", "StateCorrupt", "InternalError"})


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one model answered."""

    model: str
    alive: bool
    """Whether the model took the request and its store or encoder works."""
    latency_ms: float
    """Of the call that failed, or the median."""
    text: str
    """`ok`, or the error as it came."""


def calls() -> dict[str, Call]:
    """One cheap call for each model; none of them changes anything."""
    requests = [
        Call(rank=rank_pb2.RankRequest(user=CANARY, k=1)),
        Call(feedback=feedback_pb2.FeedbackRequest()),
        Call(get_items=catalog_pb2.GetItemsRequest(ids=[CANARY])),
        Call(get_user=user_pb2.GetUserRequest(user=CANARY)),
        Call(embed=embed_pb2.EmbedRequest(texts=["canary"])),
    ]
    return {METHODS[_field(call)].model: call for call in requests}


def ask(
    target: str, models: Iterable[str] | None = None, *, times: int = 1, timeout_s: float = 5.0
) -> list[ProbeResult]:
    """Sends the canary calls, one after the other.

    Args:
        target: the gRPC address, `host:port`.
        models: default: all five.
        times: calls to each model, until one fails. An idle Triton gives them to the model's
            instances in turn, so as many calls as instances reach each of them.
        timeout_s: for each call, in seconds.

    Returns:
        One result a model; a server that is not there gives five that are not alive.
    """
    todo = calls()
    names = list(todo) if models is None else list(models)
    # A pool of its own: another channel's back-off must not delay this one's connection.
    options = [("grpc.use_local_subchannel_pool", 1), *proxy_options(target)]
    with grpc.insecure_channel(target, options=options) as channel:
        infer = channel.unary_unary(
            _METHOD,
            request_serializer=kserve_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=kserve_pb2.ModelInferResponse.FromString,
        )
        return [_ask_times(infer, name, todo[name], times, timeout_s) for name in names]


def _ask_times(
    infer: Callable[..., kserve_pb2.ModelInferResponse],
    model: str,
    call: Call,
    times: int,
    timeout_s: float,
) -> ProbeResult:
    results = []
    for _ in range(times):
        results.append(_ask(infer, model, call, timeout_s))
        if not results[-1].alive:
            return results[-1]
    return sorted(results, key=lambda result: result.latency_ms)[len(results) // 2]


def _ask(
    infer: Callable[..., kserve_pb2.ModelInferResponse],
    model: str,
    call: Call,
    timeout_s: float,
) -> ProbeResult:
    started = time.perf_counter()
    try:
        response = infer(_request(model, call), timeout=timeout_s)
        alive, text = _read(response, _field(call))
    except grpc.RpcError as error:
        alive, text = _read_error(error)
    return ProbeResult(model, alive, (time.perf_counter() - started) * 1e3, text)


def _request(model: str, call: Call) -> kserve_pb2.ModelInferRequest:
    payload = call.SerializeToString()
    tensor = kserve_pb2.ModelInferRequest.InferInputTensor(
        name=REQUEST_TENSOR, datatype="BYTES", shape=[1, 1]
    )
    raw = len(payload).to_bytes(4, "little") + payload
    return kserve_pb2.ModelInferRequest(model_name=model, inputs=[tensor], raw_input_contents=[raw])


def _read(response: kserve_pb2.ModelInferResponse, field: str) -> tuple[bool, str]:
    raw = b"".join(response.raw_output_contents)
    try:
        reply = Reply.FromString(raw[4:])
    except ValueError:
        return False, "the reply can't be read"
    if _field(reply) != field:
        return False, f"the reply is {_field(reply) or 'empty'}, expected {field}"
    return True, "ok"


def _read_error(error: grpc.RpcError) -> tuple[bool, str]:
    call = cast(grpc.Call, error)  # Which the errors of calls are too.
    code, details = call.code(), call.details() or ""
    reason = _REASON.match(details)
    if reason and reason.group(1) not in _SICK and code is not grpc.StatusCode.INTERNAL:
        return True, details
    if "Connection refused" in details:
        return False, NOBODY
    return False, f"{code.name}: {details}"


def _field(message: Call | Reply) -> str:
    return message.WhichOneof("method") or ""
