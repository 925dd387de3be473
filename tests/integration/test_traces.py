"""One trace from the application to the store, and logs for programs, on a real Triton."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.server.triton.traces import ENDPOINT
from penchant.system.log_format import VARIABLE
from penchant_sdk import Event, InvalidRequest, Item, Penchant
from tests.support.otlp_receiver import OtlpReceiver, otlp_receiver

pytestmark = pytest.mark.server

USER, TEXT = "planted-user", "planted words"


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as found:
        yield found


@pytest.fixture(scope="module")
def traced(
    encoder: Path, receiver: OtlpReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("traced")
    environment = {ENDPOINT: receiver.endpoint, VARIABLE: "json"}
    settings = gather(f"lmdb:{place / 'store'}", encoder)
    with Server(place / "server", settings, environment=environment) as server:
        with Penchant(server.target, timeout_s=60.0) as penchant:
            penchant.put_items([Item("toy", "toy story"), Item("heat", "heat")])
        yield server


def waited_for(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_one_trace_goes_from_the_application_to_the_commit(
    traced: Server, receiver: OtlpReceiver
) -> None:
    tracer = TracerProvider().get_tracer("application")
    like = Event(user=USER, item="toy", signal="like")
    with Penchant(traced.target, timeout_s=60.0) as penchant:
        with trace.use_span(tracer.start_span("visit")) as visit:
            penchant.rank(USER, query=TEXT)
            penchant.feedback([like])
        penchant.rank(USER)  # No span of the application: nothing to trace.
    id_ = visit.get_span_context().trace_id.to_bytes(16)
    waited_for(lambda: bool(receiver.named("penchant.feedback")), "the spans of feedback")
    waited_for(lambda: bool(receiver.named("penchant.rank")), "the spans of the ranking")
    assert {span.trace_id for span in receiver.spans} == {id_}
    (feedback,) = receiver.named("penchant.feedback")
    (rank,) = receiver.named("penchant.rank")
    assert children(receiver, feedback) >= {"parse", "read", "fold", "commit"}
    assert children(receiver, rank) >= {"parse", "wait", "encode", "read", "score"}
    assert not any(secret.encode() in body for body in receiver.bodies for secret in (USER, TEXT))


def children(receiver: OtlpReceiver, parent: object) -> set[str]:
    """The names of a span's steps, each of which lies within it."""
    assert hasattr(parent, "span_id")
    steps = [span for span in receiver.spans if span.parent_span_id == parent.span_id]
    for step in steps:
        assert step.start_time_unix_nano <= step.end_time_unix_nano
    return {step.name for step in steps}


def test_an_error_has_the_request_id_that_the_log_has_with_verb_and_reason(
    traced: Server,
) -> None:
    with (
        Penchant(traced.target, timeout_s=60.0) as penchant,
        pytest.raises(InvalidRequest) as caught,
    ):
        penchant.rank(USER, k=1001)
    request_id = caught.value.request_id
    assert request_id

    def record() -> dict[str, str] | None:
        *lines, _ = traced.log_path.read_text().split("\n")  # Of the last, half may be there.
        records = [json.loads(line) for line in lines if line.startswith("{")]
        return next((one for one in records if one.get("request_id") == request_id), None)

    waited_for(lambda: record() is not None, "the line of the log")
    found = record()
    assert found is not None
    assert (found["verb"], found["reason"]) == ("rank", "InvalidRequest")
    assert {"time", "level", "message"} <= set(found)
    assert USER not in traced.log_path.read_text()
