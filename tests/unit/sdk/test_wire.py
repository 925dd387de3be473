"""The synchronous client against a gRPC server in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from grpc import StatusCode

from penchant_proto.v1 import service_pb2
from penchant_sdk import (
    Cancelled,
    DeadlineExceeded,
    Event,
    InvalidRequest,
    Item,
    ModelNotFound,
    Overloaded,
    Penchant,
    ReserveOption,
    ServerError,
    Unavailable,
    UserNotFound,
)
from penchant_sdk.errors import error_from_status
from tests.contracts.client_laws import ClientLaws

if TYPE_CHECKING:
    from tests.unit.sdk.conftest import Wire


PATIENCE_S = 60.0
"""For what must succeed, on a busy machine as well."""


@pytest.fixture
def penchant(wire: Wire) -> Iterator[Penchant]:
    with Penchant(wire.target, timeout_s=PATIENCE_S) as penchant:
        yield penchant


class TestLawsOverGrpc(ClientLaws):
    pass


def calls_of(wire: Wire) -> list[service_pb2.Call]:
    return [service_pb2.Call.FromString(one.raw_input_contents[0][4:]) for one in wire.requests]


def test_user_code_of_the_readme_runs(wire: Wire) -> None:
    with Penchant(wire.target, timeout_s=PATIENCE_S) as penchant:
        text = "Toy Story (1995). Animation, Comedy"
        penchant.put_items([Item(id="1", text=text, attributes={"year": "1995"})])
        reply = penchant.rank(user="u42", k=10)
        ack = penchant.feedback([Event(user="u42", item=reply.items[0].id, signal="like")])
        ack.raise_for_refused()
        version = ack.state_version("u42")
        again = penchant.rank(user="u42", k=10, min_state_version=version, explain=True)
        assert again.state_version == 1
        assert penchant.user("u42").state_version == 1
        assert len(penchant.export_user("u42").events) == 1
        assert penchant.forget_user("u42").deleted_events == 1


def test_each_verb_goes_to_its_model(wire: Wire, penchant: Penchant) -> None:
    penchant.put_items([Item("1", "text")])
    penchant.rank("u")
    penchant.feedback([Event(user="u", item="1", signal="like")])
    penchant.reserve("u", "r", [ReserveOption("1")], n=1)
    penchant.user("u")
    penchant.embed(["text"])
    assert [request.model_name for request in wire.requests] == [
        "penchant_catalog",
        "penchant_rank",
        "penchant_feedback",
        "penchant_feedback",
        "penchant_users",
        "penchant_encoder",
    ]


def test_retry_sends_the_same_event(wire: Wire, penchant: Penchant) -> None:
    penchant.put_items([Item("1", "text")])
    wire.requests.clear()
    wire.fake.fail_next("[StoreUnavailable] busy", code=StatusCode.UNAVAILABLE, times=2)
    ack = penchant.feedback([Event(user="u", item="1", signal="like")])
    assert ack.state_version("u") == 1
    assert len(wire.requests) == 3
    assert len({call.feedback.SerializeToString() for call in calls_of(wire)}) == 1


def test_stopping_server_is_retried(wire: Wire, penchant: Penchant) -> None:
    message = "Request for unknown model: 'penchant_rank' has no available versions"
    wire.fake.fail_next(message, code=StatusCode.NOT_FOUND, times=2)
    penchant.rank("u")
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (StatusCode.INVALID_ARGUMENT, "[InvalidRequest] k: got 0", InvalidRequest),
        (StatusCode.NOT_FOUND, "[UserNotFound] user: 'has no available versions'", UserNotFound),
        (StatusCode.NOT_FOUND, "unknown model: 'penchant_rank' is not found", ModelNotFound),
        (StatusCode.INTERNAL, "[ConfigError] internal error", ServerError),
    ],
)
def test_what_another_attempt_would_not_mend_is_not_retried(
    wire: Wire, penchant: Penchant, code: StatusCode, message: str, error: type[Exception]
) -> None:
    wire.fake.fail_next(message, code=code)
    with pytest.raises(error):
        penchant.rank("u")
    assert len(wire.requests) == 1


def test_attempts_are_bounded(wire: Wire) -> None:
    wire.fake.fail_next(
        "[request id: 7] Exceeds maximum queue size", code=StatusCode.UNAVAILABLE, times=9
    )
    with (
        Penchant(wire.target, max_attempts=3, timeout_s=PATIENCE_S) as penchant,
        pytest.raises(Overloaded, match="3 attempts"),
    ):
        penchant.rank("u")
    assert len(wire.requests) == 3


def test_an_overloaded_server_is_not_asked_again_before_it_has_time(
    wire: Wire, penchant: Penchant
) -> None:
    text = "[Overloaded] rank: got 80 calls before this one; retry after {} ms"
    wire.fake.fail_next(text.format(150), code=StatusCode.UNAVAILABLE)
    started = time.monotonic()
    penchant.rank("u")
    assert time.monotonic() - started >= 0.15
    assert len(wire.requests) == 2
    wire.requests.clear()
    wire.fake.fail_next(text.format(90_000), code=StatusCode.UNAVAILABLE)
    with pytest.raises(Overloaded) as refusal:  # At once: the deadline is before the hint.
        penchant.rank("u", timeout_s=PATIENCE_S)
    assert refusal.value.retry_after_ms == 90_000
    assert len(wire.requests) == 1


def test_what_triton_says_of_its_memory_names_nothing_internal() -> None:
    text = (
        "Failed to increase the shared memory pool size for key "
        "'/triton_python_backend_shm_region_3' to 67108864 bytes: No space left on device"
    )
    error = error_from_status(StatusCode.INTERNAL, text)
    assert isinstance(error, Overloaded)
    assert "region" not in str(error)


def test_deadline_ends_a_call_that_hangs(wire: Wire, penchant: Penchant) -> None:
    release = threading.Event()

    def hang(_: object) -> bytes:
        release.wait(PATIENCE_S)
        return b""

    penchant.rank("u")  # Connects.
    wire.requests.clear()
    wire.answer = hang
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"rank: no answer within 0\.2 s"):
        penchant.rank("u", timeout_s=0.2)
    assert time.monotonic() - started < PATIENCE_S / 2
    assert len(wire.requests) <= 1  # None if its time was over before a busy server took it.
    release.set()


def test_deadline_bounds_all_attempts_together(wire: Wire) -> None:
    wire.fake.fail_next("[Overloaded] full", code=StatusCode.UNAVAILABLE, times=1000)
    with Penchant(wire.target, max_attempts=1000) as penchant:
        started = time.monotonic()
        with pytest.raises((Overloaded, DeadlineExceeded)):  # As the last attempt ends.
            penchant.rank("u", timeout_s=0.5)
        # The pauses up to the end of the retry budget alone would take 10 s and more.
        assert time.monotonic() - started < 10


def test_absent_server_is_unavailable_within_the_deadline() -> None:
    with Penchant("127.0.0.1:1", timeout_s=0.5) as penchant:
        started = time.monotonic()
        with pytest.raises((Unavailable, DeadlineExceeded)):
            penchant.rank("u")
        assert not penchant.ready()
        assert time.monotonic() - started < PATIENCE_S / 2


@pytest.mark.parametrize(
    "raw", [b"", b"\x01", b"\x05\x00\x00\x00abc", b"\x03\x00\x00\x00\xff\xff\xff", b"\0\0\0\0"]
)
def test_answer_that_is_no_reply_is_the_servers_fault(
    wire: Wire, penchant: Penchant, raw: bytes
) -> None:
    wire.answer = lambda _: raw
    with pytest.raises(ServerError):
        penchant.rank("u")


def test_items_go_in_calls_of_256(wire: Wire, penchant: Penchant) -> None:
    result = penchant.put_items(Item(str(n), f"text {n}") for n in range(600))
    assert (result.changed, result.encoded, result.item_count) == (600, 600, 600)
    assert [len(call.put_items.items) for call in calls_of(wire)] == [256, 256, 88]


def test_events_go_in_calls_of_1000_and_acks_keep_their_order(
    wire: Wire, penchant: Penchant
) -> None:
    penchant.put_items([Item("1", "text")])
    wire.requests.clear()
    events = [Event(user=f"u{n % 2}", item="1", signal="view") for n in range(2100)]
    ack = penchant.feedback(events)
    assert [len(call.feedback.events) for call in calls_of(wire)] == [1000, 1000, 100]
    assert [one.event_id for one in ack.results] == [event.event_id for event in events]
    assert ack.state_version("u0") == ack.state_version("u1") == 1050


def test_metadata_travels_with_every_call(wire: Wire) -> None:
    with Penchant(
        wire.target, timeout_s=PATIENCE_S, metadata=[("authorization", "Bearer t")]
    ) as penchant:
        penchant.rank("u")
    assert wire.metadata[0]["authorization"] == "Bearer t"


def test_channel_options_reach_the_channel(wire: Wire) -> None:
    options = [("grpc.max_send_message_length", 10)]
    with (
        Penchant(wire.target, timeout_s=PATIENCE_S, channel_options=options) as penchant,
        pytest.raises(InvalidRequest, match="larger than max"),
    ):
        penchant.rank("u")


def test_ready_asks_every_model(wire: Wire, penchant: Penchant) -> None:
    assert penchant.ready()
    wire.not_ready.add("penchant_users")
    assert not penchant.ready()


def test_closed_client_says_so(wire: Wire) -> None:
    penchant = Penchant(wire.target, timeout_s=PATIENCE_S)
    penchant.rank("u")
    penchant.close()
    penchant.close()
    with pytest.raises(Cancelled, match="closed"):
        penchant.rank("u")
