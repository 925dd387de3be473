"""The health probe: a small real request to each model of a running server.

Triton never restarts a dead model process, and keeps reporting readiness: only a request can tell.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import cast

import grpc

from penchant.launch.errors import LaunchError
from penchant.launch.tls import PLAIN, ChannelAccess
from penchant.wire.health_calls import health_calls
from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.local_targets import proxy_options
from penchant_proto.methods import METHODS, REQUEST_TENSOR
from penchant_proto.target_spelling import misspelt
from penchant_proto.v1.service_pb2 import Call, Reply

NOBODY = "nothing listens there"
"""The text of a result after a refused connection."""

_METHOD = "/inference.GRPCInferenceService/ModelInfer"
_REASON = re.compile(r"\[([A-Z][A-Za-z]+)\] ")
_SICK = frozenset({"StoreUnavailable", "EncoderUnavailable", "StateCorrupt", "InternalError"})


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer of one model."""

    model: str
    alive: bool
    """Whether the model answered, and its store or encoder works."""
    latency_ms: float
    """Latency of the failed call, or else the median."""
    text: str
    """`ok`, or the text of the error."""


def calls() -> dict[str, Call]:
    """One cheap call per model, by the model's name; none changes anything or counts in metrics."""
    return {METHODS[field].model: call for field, call in health_calls().items()}


def ask(
    target: str,
    models: Iterable[str] | None = None,
    *,
    times: int = 1,
    timeout_s: float = 5.0,
    access: ChannelAccess = PLAIN,
) -> list[ProbeResult]:
    """Sends the probe's calls, one after another.

    Args:
        target: the gRPC address, `host:port`.
        models: names of the models; default: all five.
        times: calls per model; the first failure ends them. An idle Triton passes them to the
            model's instances in turn, so that as many calls as instances reach each of them.
        timeout_s: deadline of each call, in seconds.
        access: the server's TLS, and the token of the probe.

    Returns:
        One result per model; if no server is there, none of them is alive.
    """
    todo = calls()
    names = list(todo) if models is None else list(models)
    with open_channel(target, access) as channel:
        infer = partial(infer_of(channel), metadata=access.metadata())
        return [_ask_times(infer, name, todo[name], times, timeout_s) for name in names]


def open_channel(target: str, access: ChannelAccess) -> grpc.Channel:
    """A channel to a server, which connects at the first call.

    Raises:
        LaunchError: the target is misspelt.
    """
    expected = misspelt(target)
    if expected:
        raise LaunchError(f"target: got {target!r}, expected {expected}")
    options: list[tuple[str, object]] = [
        # A pool of its own, so that the back-off of another channel cannot delay this connection.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        # Despite its name, the time that a connection may take: with TLS, to a busy server.
        ("grpc.min_reconnect_backoff_ms", 5000),
        ("grpc.max_reconnect_backoff_ms", 1000),
        *proxy_options(target),
    ]
    if access.credentials is None:
        return grpc.insecure_channel(target, options=options)
    if access.name:
        options.append(("grpc.ssl_target_name_override", access.name))
    return grpc.secure_channel(target, access.credentials, options=options)


def infer_of(
    channel: grpc.Channel,
) -> grpc.UnaryUnaryMultiCallable[kserve_pb2.ModelInferRequest, kserve_pb2.ModelInferResponse]:
    """The channel's method that runs a model."""
    return channel.unary_unary(
        _METHOD,
        request_serializer=kserve_pb2.ModelInferRequest.SerializeToString,
        response_deserializer=kserve_pb2.ModelInferResponse.FromString,
    )


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
        response = infer(request_of(model, call), timeout=timeout_s)
        alive, text = _read(response, _field(call))
    except grpc.RpcError as error:
        alive, text = _read_error(error)
    return ProbeResult(model, alive, (time.perf_counter() - started) * 1e3, text)


def request_of(model: str, call: Call) -> kserve_pb2.ModelInferRequest:
    """The request to Triton that carries a call."""
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
        return False, "the reply cannot be read"
    if _field(reply) != field:
        return False, f"the reply is {_field(reply) or 'empty'}, expected {field}"
    return True, "ok"


def _read_error(error: grpc.RpcError) -> tuple[bool, str]:
    call = cast(grpc.Call, error)  # The errors of calls implement it.
    code, details = call.code(), call.details() or ""
    reason = _REASON.match(details)
    if reason and reason.group(1) not in _SICK and code is not grpc.StatusCode.INTERNAL:
        return True, details
    if "Connection refused" in details:
        return False, NOBODY
    return False, f"{code.name}: {details}"


def _field(message: Call | Reply) -> str:
    return message.WhichOneof("method") or ""
