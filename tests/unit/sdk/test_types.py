"""Arguments and answers: what is refused early, and what is exact."""

from __future__ import annotations

import dataclasses
import pickle
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk import (
    Event,
    EventResult,
    EventStatus,
    FeedbackAck,
    InvalidEvent,
    InvalidRequest,
    Item,
    Penchant,
    ServerError,
)
from penchant_sdk._retry import Attempts, RetryPolicy
from penchant_sdk._times import from_microseconds, to_microseconds
from penchant_sdk.errors import Unavailable


class NoCalls:
    """A transport for what must not reach it."""

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        raise AssertionError(model)

    def model_ready(self, model: str, timeout_s: float) -> bool:
        raise AssertionError(model)

    def close(self) -> None:
        pass


def test_event_has_its_id_and_time_from_the_start() -> None:
    before = time.time()
    one, two = (Event(user="u", item="i", signal="like") for _ in range(2))
    assert one.event_id != two.event_id
    assert before - 0.01 <= one.occurred_at_us / 1e6 <= time.time() + 0.01
    assert one.occurred_at_us == one.occurred_at_us
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.user = "other"  # type: ignore[misc]


@given(st.integers(0, 2**51))
def test_times_travel_exactly(microseconds: int) -> None:
    when = from_microseconds(microseconds)
    assert to_microseconds(when, "t") == microseconds
    elsewhere = when.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert to_microseconds(elsewhere, "t") == microseconds
    assert abs(to_microseconds(microseconds / 1e6, "t") - microseconds) <= 1


@pytest.mark.parametrize(
    "when", [datetime(2026, 1, 1), float("nan"), float("inf"), "2026-01-01", None, True]
)
def test_time_that_is_none_is_refused_with_the_way_out(when: Any) -> None:
    with pytest.raises(InvalidEvent, match=r"occurred_at: got .*expected .*time zone"):
        Event(user="u", item="i", signal="like", occurred_at=when)


@pytest.mark.parametrize("field", ["user", "item", "signal", "event_id"])
@pytest.mark.parametrize("value", ["", None, 7])
def test_event_without_a_name_is_refused(field: str, value: Any) -> None:
    names: dict[str, Any] = {"user": "u", "item": "i", "signal": "like", field: value}
    with pytest.raises(InvalidEvent, match=f"{field}: got {value!r}"):
        Event(**names)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda p: p.rank(""), "user: got ''"),
        (lambda p: p.rank(7), "user: got 7"),
        (lambda p: p.rank("u", k=0), "k: got 0, expected 1 or more"),
        (lambda p: p.rank("u", k=-1), "k: got -1"),
        (lambda p: p.rank("u", k="ten"), "k: got 'ten', expected a whole number"),
        (lambda p: p.rank("u", candidates="1"), "candidates: got the text '1'"),
        (lambda p: p.rank("u", candidates=[1]), r"candidates\[0\]: got 1, expected text"),
        (lambda p: p.rank("\ud800"), "user: got .*surrogates"),
        (lambda p: p.rank("u", context={"n": 5}), r"context\['n'\]: got 5, expected text"),
        (lambda p: p.rank("u", min_state_version=-1), "min_state_version: got -1, expected 0"),
        (lambda p: p.rank("u", timeout_s=0), "timeout_s: got 0"),
        (lambda p: p.rank("u", timeout_s=float("nan")), "timeout_s: got nan"),
        (lambda p: p.rank("u", as_of=datetime(2026, 1, 1)), "as_of: got the naive"),
        (lambda p: p.put_items([]), "items: got none"),
        (lambda p: p.put_items([Item("1", "")]), "text: got ''"),
        (lambda p: p.put_items([Item("1", "a"), Item("1", "b")]), "'1' twice"),
        (lambda p: p.put_items([Item("1", "a", {"k": 7})]), r"attributes\['k'\]: got 7"),  # type: ignore[dict-item]
        (lambda p: p.put_items(["1"]), r"items\[0\]: got '1', expected an Item"),
        (lambda p: p.feedback([]), "events: got none"),
        (lambda p: p.feedback([Event("u", "i", "rating", "5")]), "value: got '5'"),  # type: ignore[arg-type]
        (lambda p: p.get_items("1"), "ids: got the text"),
        (lambda p: p.delete_items([]), "ids: got none"),
        (lambda p: p.embed("text"), "texts: got the text"),
        (lambda p: p.user(""), "user: got ''"),
    ],
)
def test_wrong_argument_is_refused_before_a_call(call: Any, text: str) -> None:
    with pytest.raises((InvalidRequest, InvalidEvent), match=text) as caught:
        call(Penchant(transport=NoCalls()))
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("bad", [{"timeout_s": 0}, {"timeout_s": -1}, {"max_attempts": 0}])
def test_client_out_of_range_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="got"):
        Penchant(**bad)


def test_ack_answers_for_its_users_only() -> None:
    ack = FeedbackAck((EventResult("e", "u", EventStatus.ACCEPTED, 3),))
    assert ack.state_version("u") == 3
    ack.raise_for_refused()
    with pytest.raises(InvalidRequest, match="user: got 'v'"):
        ack.state_version("v")


def test_refusal_with_a_new_reason_still_raises() -> None:
    result = EventResult("e", "u", EventStatus.REFUSED, 0, "MoonTooHigh", "no")
    with pytest.raises(ServerError, match="MoonTooHigh"):
        FeedbackAck((result,)).raise_for_refused()


def test_pauses_grow_and_stay_within_bounds() -> None:
    attempts = Attempts(RetryPolicy(max_attempts=20), "rank", timeout_s=1000)
    pauses = [attempts.pause_after(Unavailable("no")) for _ in range(19)]
    assert 0.02 <= pauses[0] <= 0.04
    assert 0.04 <= pauses[1] <= 0.08
    assert max(pauses) <= 1.0
    assert len(set(pauses[8:])) > 1
