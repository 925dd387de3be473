"""The probe: which answers count as those of a living model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from penchant.launch import ports, probe
from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.v1.service_pb2 import Call, Reply

PATIENCE_S = 60.0
Answer = Callable[[Call, grpc.ServicerContext], bytes]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A gRPC server in this process that answers ModelInfer."""

    def infer(
        request: kserve_pb2.ModelInferRequest, context: grpc.ServicerContext
    ) -> kserve_pb2.ModelInferResponse:
        call = Call.FromString(request.raw_input_contents[0][4:])
        return kserve_pb2.ModelInferResponse(raw_output_contents=[answer(call, context)])

    handler = grpc.unary_unary_rpc_method_handler(
        infer,
        request_deserializer=kserve_pb2.ModelInferRequest.FromString,
        response_serializer=kserve_pb2.ModelInferResponse.SerializeToString,
    )
    service = "inference.GRPCInferenceService"
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(service, {"ModelInfer": handler})]
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


def echo(call: Call, context: grpc.ServicerContext) -> bytes:
    reply = Reply()
    getattr(reply, call.WhichOneof("method") or "").SetInParent()
    payload = reply.SerializeToString()
    return len(payload).to_bytes(4, "little") + payload


def refusing(code: grpc.StatusCode, details: str) -> Answer:
    def answer(call: Call, context: grpc.ServicerContext) -> bytes:
        context.abort(code, details)

    return answer


def test_there_is_one_call_for_each_of_the_five_models() -> None:
    assert sorted(probe.calls()) == [
        "penchant_catalog",
        "penchant_encoder",
        "penchant_feedback",
        "penchant_rank",
        "penchant_users",
    ]


def test_a_reply_is_alive() -> None:
    with serving(echo) as target:
        results = probe.ask(target, timeout_s=PATIENCE_S)
    assert [(result.alive, result.text) for result in results] == [(True, "ok")] * 5
    assert all(result.latency_ms > 0 for result in results)


def test_one_failure_among_many_calls_is_not_alive() -> None:
    asked: list[str] = []

    def once_sick(call: Call, context: grpc.ServicerContext) -> bytes:
        asked.append(call.WhichOneof("method") or "")
        if len(asked) == 3:
            context.abort(grpc.StatusCode.INTERNAL, "Stub process is not healthy.")
        return echo(call, context)

    with serving(once_sick) as target:
        (result,) = probe.ask(target, ["penchant_rank"], times=8, timeout_s=PATIENCE_S)
    assert (result.alive, asked) == (False, ["rank"] * 3)


def test_a_reply_of_another_method_is_not_alive() -> None:
    with serving(lambda call, context: b"\0\0\0\0") as target:
        (result,) = probe.ask(target, ["penchant_rank"], timeout_s=PATIENCE_S)
    assert (result.alive, result.text) == (False, "the reply is empty, expected rank")


@pytest.mark.parametrize(
    ("code", "details", "alive"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "[InvalidRequest] events: got 0", True),
        (grpc.StatusCode.NOT_FOUND, "[UserNotFound] user: __probe__", True),
        (grpc.StatusCode.UNAVAILABLE, "[Overloaded] try again", True),
        (grpc.StatusCode.UNAVAILABLE, "[StoreUnavailable] store: full", False),
        (grpc.StatusCode.UNAVAILABLE, "[EncoderUnavailable] encoder: gone", False),
        (grpc.StatusCode.INTERNAL, "[InternalError] see the server's log", False),
        (grpc.StatusCode.INTERNAL, "Stub process 'penchant_rank_0_0' is not healthy.", False),
        (grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'penchant_rank'", False),
        (grpc.StatusCode.INVALID_ARGUMENT, "[request id: <id_unknown>] no input", False),
    ],
)
def test_an_error_with_a_reason_is_alive_unless_the_reason_is_sickness(
    code: grpc.StatusCode, details: str, alive: bool
) -> None:
    with serving(refusing(code, details)) as target:
        (result,) = probe.ask(target, ["penchant_rank"], timeout_s=PATIENCE_S)
    assert result.alive is alive
    assert details in result.text


def test_no_answer_in_time_is_not_alive() -> None:
    def wait(call: Call, context: grpc.ServicerContext) -> bytes:
        over = threading.Event()
        # On a busy machine the call may be over before it comes here; then nothing would set it.
        if context.add_callback(over.set):
            over.wait()
        return b""

    with serving(wait) as target:
        (result,) = probe.ask(target, ["penchant_users"], timeout_s=0.05)
    assert not result.alive
    assert result.text.startswith("DEADLINE_EXCEEDED")


def test_nobody_there_is_said_plainly() -> None:
    port = ports.choose(ports.FREE).grpc
    results = probe.ask(f"127.0.0.1:{port}", timeout_s=PATIENCE_S)
    assert {(result.alive, result.text) for result in results} == {(False, probe.NOBODY)}
