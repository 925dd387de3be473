"""The app: bytes to replies, and no call spoils another's."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penchant.config import Config
from penchant.domain.errors import (
    ConfigError,
    InternalError,
    InvalidRequest,
    PenchantError,
    UserNotFound,
)
from penchant.domain.limits import Limits
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, Parsed, build
from penchant.server.verbs import Answers
from penchant.service.meter import SilentMeter
from penchant.service.users import UserService
from penchant.store.memory import MemoryStore
from penchant_proto.methods import METHODS
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
    assert str(error) == "REQUEST: got 3 bytes that are no penchant.v1.Call"


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
        parsed = app.parse(call.SerializeToString())
        assert isinstance(parsed, Parsed) == (method.model == model)


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


def test_an_unexpected_failure_costs_only_its_own_call(caplog: pytest.LogCaptureFixture) -> None:
    def verb(requests: Sequence[object]) -> Answers:
        if any(getattr(request, "user", "") == "bad" for request in requests):
            raise RuntimeError("a bug")
        return [Reply() for _ in requests]

    app = App({"rank": verb}, Limits(), MemoryStore())
    with caplog.at_level(logging.ERROR, "penchant"):
        replies = together(app, [rank_call("a"), rank_call("bad"), rank_call("c")])
    assert [type(reply) for reply in replies] == [Reply, InternalError, Reply]
    assert str(replies[1]) == ""
    assert "a bug" in caplog.text
    app.close()


def test_an_unexpected_failure_repeats_nobodys_deletion(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for user in ("a", "b", "c"):
        answered(app, feedback_call("e1", user=user))
    forget = UserService.forget

    def failing(service: UserService, user: str) -> int:
        if user == "b":
            raise RuntimeError("a bug")
        return forget(service, user)

    monkeypatch.setattr(UserService, "forget", failing)
    with caplog.at_level(logging.CRITICAL, "penchant"):
        replies = together(app, [forget_call(user) for user in ("a", "b", "c")])
    assert isinstance(replies[1], InternalError)
    deleted = [reply.forget_user.deleted_events for reply in replies if isinstance(reply, Reply)]
    assert deleted == [1, 1]


def test_a_query_and_a_put_may_wait_for_the_encoder(app: App) -> None:
    def slow(call: Call) -> bool:
        parsed = app.parse(call.SerializeToString())
        assert isinstance(parsed, Parsed)
        return parsed.slow

    put = Call()
    put.put_items.SetInParent()
    assert slow(put)
    assert slow(rank_call(query="pig"))
    assert not slow(rank_call())
    assert not slow(feedback_call("e1"))


def test_an_unknown_model_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected some of: penchant_catalog, "):
        build(["penchant_typo"], config_of(tmp_path), EncoderLibrary(BagOfWords()), SilentMeter())


def test_a_store_in_memory_needs_a_directory_for_the_catalog(tmp_path: Path) -> None:
    config = Config(store="memory:", encoder=tmp_path)
    with pytest.raises(ConfigError, match="catalog_dir: missing"):
        build(["penchant_rank"], config, EncoderLibrary(BagOfWords()), SilentMeter())
