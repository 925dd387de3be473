"""Dispatch: from bytes to replies, each in its place, whatever happens to the other calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penchant.domain.errors import (
    InternalError,
    InvalidRequest,
    PenchantError,
    StateCorrupt,
    UserNotFound,
)
from penchant.domain.tombstone import ForgetReceipt
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.dispatch import Dispatch, Lane, ParsedCall, Verb
from penchant.service.meter import SilentMeter
from penchant.service.users import UserService
from penchant_proto.methods import METHODS
from penchant_proto.v1.rank_pb2 import RankRequest as RankMessage
from penchant_proto.v1.service_pb2 import Call, Reply
from tests.support.calls import (
    ALL_MODELS,
    answered,
    app_of,
    config_of,
    feedback_call,
    forget_call,
    put_films,
    rank_call,
    refused,
    together,
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = app_of(config_of(tmp_path))
    put_films(app)
    yield app
    app.close()


def test_rank_feedback_rank_again(app: App) -> None:
    cold = answered(app, rank_call()).rank
    (ack,) = answered(app, feedback_call("e1", item="heat")).feedback.results
    warm_call = rank_call()
    warm_call.rank.min_state_version = ack.state_version
    warm = answered(app, warm_call).rank
    assert (cold.cold_start, warm.cold_start) == (True, False)
    assert warm.items[0].id == "heat"
    assert warm.state_version == ack.state_version == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=64))
def test_any_bytes_are_answered_or_refused(app: App, payload: bytes) -> None:
    reply = app.handle(payload)
    assert isinstance(reply, Reply | PenchantError)
    assert not isinstance(reply, InternalError)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_call_is_answered_or_refused(app: App, data: st.DataObject) -> None:
    call = data.draw(st.sampled_from([rank_call(query="pig"), feedback_call("a", "b")]))
    payload = bytearray(call.SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    reply = app.handle(bytes(payload[: data.draw(st.integers(0, len(payload)))]))
    assert isinstance(reply, Reply | PenchantError)
    assert not isinstance(reply, InternalError)


def test_bytes_that_are_no_call_are_refused(app: App) -> None:
    error = app.handle(b"\xff\xff\xff")
    assert isinstance(error, InvalidRequest)
    assert str(error) == "REQUEST: got 3 bytes, expected a serialized penchant.v1.Call"


def test_a_call_without_a_method_is_refused(app: App) -> None:
    assert "without a method" in str(refused(app, Call()))


def test_a_call_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    app = app_of(config_of(tmp_path, request_bytes=20))
    error = app.handle(b"\xff" * 21)
    assert str(error) == "REQUEST: got 21 bytes, expected at most 20"


def test_another_models_method_is_refused_by_name(tmp_path: Path) -> None:
    app = build(["penchant_rank"], config_of(tmp_path), EncoderLibrary(BagOfWords()), SilentMeter())
    error = refused(app, feedback_call("e1"))
    assert isinstance(error, InvalidRequest)
    assert str(error) == (
        "method: got feedback, which the model penchant_feedback answers; expected one of: rank"
    )


@pytest.mark.parametrize("model", ALL_MODELS)
def test_each_model_answers_its_own_methods(tmp_path: Path, model: str) -> None:
    app = build([model], config_of(tmp_path), EncoderLibrary(BagOfWords()), SilentMeter())
    for field, method in METHODS.items():
        call = Call()
        getattr(call, field).SetInParent()
        parsed = app.dispatch.parse(call.SerializeToString())
        assert isinstance(parsed, ParsedCall) == (method.model == model)


def test_replies_come_in_the_order_of_the_calls(app: App) -> None:
    replies = together(
        app,
        [rank_call(k=1), feedback_call("e1"), rank_call(k=0), rank_call(k=2), forget_call("x")],
    )
    fields = [reply.WhichOneof("method") for reply in replies if isinstance(reply, Reply)]
    assert fields == ["rank", "feedback", "rank"]
    assert isinstance(replies[2], InvalidRequest)
    assert isinstance(replies[4], UserNotFound)
    ranked = [reply for reply in replies if isinstance(reply, Reply)]
    assert (len(ranked[0].rank.items), len(ranked[2].rank.items)) == (1, 2)


def dispatch_of(serve: Callable[[Sequence[RankMessage]], Sequence[Reply]]) -> Dispatch:
    """A dispatch whose only verb is `rank`, served by a function."""
    verb: Verb[RankMessage, RankMessage, Reply] = Verb(
        lambda message: message, lambda request: request, serve, lambda reply: reply
    )
    return Dispatch({"rank": verb}, request_bytes=1000)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), StateCorrupt("a bug")])
def test_a_failure_goes_to_the_log_and_costs_only_its_own_call(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def serve(requests: Sequence[RankMessage]) -> Sequence[Reply]:
        if any(request.user == "bad" for request in requests):
            raise error
        return [Reply() for _ in requests]

    dispatch = dispatch_of(serve)
    calls = [dispatch.parse(rank_call(user).SerializeToString()) for user in ("a", "bad", "c")]
    with caplog.at_level(logging.ERROR, "penchant"):
        replies = dispatch.answer([call for call in calls if isinstance(call, ParsedCall)])
    expected = InternalError if isinstance(error, RuntimeError) else StateCorrupt
    assert [type(reply) for reply in replies] == [Reply, expected, Reply]
    assert isinstance(error, StateCorrupt) or str(replies[1]) == ""
    assert "a bug" in caplog.text


def test_an_unexpected_failure_repeats_nobodys_deletion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    forget = UserService.forget

    def failing(service: UserService, user: str) -> ForgetReceipt:
        if user == "b":
            raise RuntimeError("a bug")
        return forget(service, user)

    monkeypatch.setattr(UserService, "forget", failing)
    app = app_of(config_of(tmp_path))
    put_films(app)
    for user in ("a", "b", "c"):
        answered(app, feedback_call("e1", user=user))
    with caplog.at_level(logging.CRITICAL, "penchant"):
        replies = together(app, [forget_call(user) for user in ("a", "b", "c")])
    assert isinstance(replies[1], InternalError)
    deleted = [reply.forget_user.deleted_events for reply in replies if isinstance(reply, Reply)]
    assert deleted == [1, 1]
    app.close()


def test_small_calls_never_wait_with_long_ones(app: App) -> None:
    def lane(call: Call) -> Lane:
        parsed = app.dispatch.parse(call.SerializeToString())
        assert isinstance(parsed, ParsedCall)
        assert parsed.cost > 0
        return parsed.lane

    put, explained = Call(), rank_call()
    put.put_items.SetInParent()
    explained.rank.explain = True
    assert lane(put) is Lane.BULK
    assert lane(explained) is Lane.BULK
    assert lane(rank_call(k=1000)) is Lane.BULK
    assert lane(rank_call(query="pig")) is Lane.ENCODER
    assert lane(rank_call()) is Lane.SMALL
    assert lane(feedback_call("e1")) is Lane.SMALL
    assert lane(feedback_call(*[f"e{number}" for number in range(1000)])) is Lane.BULK


def test_a_call_in_slices_has_the_reply_of_one_in_a_piece(app: App) -> None:
    """Also if it holds an event twice, and one that is refused."""
    put_films(app)
    ids = [f"e{number % 150}" for number in range(200)]
    call = feedback_call(*ids)
    call.feedback.events[70].signal = "unheard of"
    parsed = app.dispatch.parse(call.SerializeToString())
    assert isinstance(parsed, ParsedCall)
    slices, pauses = app.dispatch.slices(parsed), 0
    while True:
        try:
            next(slices)
            pauses += 1
        except StopIteration as end:
            reply = end.value
            break
    assert pauses > 2
    results = list(reply.feedback.results)
    assert [one.event_id for one in results] == ids
    other = feedback_call(*ids, user="v")
    other.feedback.events[70].signal = "unheard of"
    assert results == list(answered(app, other).feedback.results)
