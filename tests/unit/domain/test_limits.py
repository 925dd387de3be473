"""Limits: a value out of range is refused, with the field, the value and the range."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import InvalidEvent, InvalidRequest
from penchant.domain.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant.domain.limits import (
    Limits,
    check_count,
    check_event,
    check_id,
    check_ids,
    check_item,
    check_text,
    check_time,
)
from penchant.domain.types import Context, Event, Item
from penchant.service.rank import RankRequest, check_rank

LIMITS = Limits(
    candidates=3,
    k=5,
    query_bytes=10,
    context_entries=2,
    context_bytes=4,
    text_bytes=12,
    id_bytes=8,
    event_id_bytes=6,
    recommendation_id_bytes=4,
    attributes=2,
    attribute_key_bytes=3,
    attribute_bytes=5,
    future_s=300,
)
NOW_US = 1_700_000_000_000_000
EVENT = Event("e", "u", "i", "like", None, NOW_US)


def refusal_of(**fields: object) -> str:
    event = dataclasses.replace(EVENT, **fields)  # type: ignore[arg-type]
    with pytest.raises(InvalidEvent) as refusal:
        check_event(event, NOW_US, LIMITS)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("event_id", "", "event_id: got 0 bytes, expected 1 to 6"),
        ("event_id", "e" * 7, "event_id: got 7 bytes, expected 1 to 6"),
        ("event_id", "éééé", "event_id: got 8 bytes, expected 1 to 6"),
        ("event_id", "a\x00", "event_id: got the control character '\\x00', expected none"),
        ("user", "", "user: got 0 bytes, expected 1 to 8"),
        ("user", "u" * 9, "user: got 9 bytes, expected 1 to 8"),
        ("user", "a\nb", "user: got the control character '\\n', expected none"),
        ("recommendation_id", "r" * 5, "recommendation_id: got 5 bytes, expected 1 to 4"),
    ],
)
def test_an_event_out_of_bounds_is_refused(name: str, value: str, text: str) -> None:
    assert refusal_of(**{name: value}) == text


@pytest.mark.parametrize("at_us", [-1, NOW_US + 300_000_001, 2**62])
def test_a_time_that_cannot_be_is_refused(at_us: int) -> None:
    text = refusal_of(occurred_at_us=at_us)
    assert text.startswith(f"occurred_at_us: got {at_us}")
    assert ", expected microseconds since 1970, " in text
    assert "at most 300 s ahead" in text


@pytest.mark.parametrize("at_us", [0, NOW_US, NOW_US + 300_000_000])
def test_a_time_at_the_bounds_is_taken(at_us: int) -> None:
    check_event(dataclasses.replace(EVENT, occurred_at_us=at_us), NOW_US, LIMITS)


@pytest.mark.parametrize("id_", ["", "x" * 9, "\u20ac" * 3, "a\x7f", "\x00"])
def test_an_id_out_of_bounds_is_refused(id_: str) -> None:
    with pytest.raises(InvalidRequest, match=r"user: got .*, expected (1 to 8|none)"):
        check_id("user", id_, LIMITS)


@given(id_=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8))
def test_an_id_is_taken_exactly_where_its_bytes_fit(id_: str) -> None:
    size = len(id_.encode())
    if size <= LIMITS.id_bytes:
        check_id("user", id_, LIMITS)
    else:
        with pytest.raises(InvalidRequest, match=f"user: got {size} bytes, expected 1 to 8"):
            check_id("user", id_, LIMITS)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"user": ""}, "user: got 0 bytes, expected 1 to 8"),
        ({"k": 0}, "k: got 0, expected 1 to 5"),
        ({"k": 6}, "k: got 6, expected 1 to 5"),
        ({"candidates": tuple("abcd")}, "candidates: got 4, expected 0 to 3"),
        ({"candidates": ("a", "b", "a")}, "candidates[2]: got 'a' twice, expected once"),
        (
            {"candidates": ("a" * 9,)},
            "candidates: got an id of 9 characters, expected at most 8 bytes",
        ),
        ({"query": "x" * 11}, "query: got 11 bytes, expected at most 10"),
        ({"diversity": 1.5}, "diversity: got 1.5, expected 0 to 1"),
        (
            {"explore": Exploration(PlackettLuce(0.0))},
            "explore.temperature: got 0.0, expected 1e-6 or more",
        ),
        (
            {"explore": Exploration(EpsilonGreedy(1.1))},
            "explore.epsilon: got 1.1, expected 0 to 1",
        ),
        (
            {"explore": Exploration(Thompson(0.0))},
            "explore.scale: got 0.0, expected more than 0, at most 1,000",
        ),
        (
            {"explore": Exploration(Thompson(1.0)), "diversity": 0.5},
            "diversity: got one together with explore, expected one of the two; "
            "the chances of a diverse list are not known",
        ),
        ({"as_of_us": -1}, f"as_of_us: got -1, expected 0 to {2**53 - 1}"),
        ({"as_of_us": 2**53}, f"as_of_us: got {2**53}, expected 0 to {2**53 - 1}"),
    ],
)
def test_a_rank_request_out_of_bounds_is_refused(fields: dict[str, object], text: str) -> None:
    request = dataclasses.replace(RankRequest("u", 1), **fields)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest) as refusal:
        check_rank(request, LIMITS)
    assert str(refusal.value) == text


def test_a_query_of_white_space_is_refused_before_it_reaches_the_encoder() -> None:
    with pytest.raises(InvalidRequest, match="query: got nothing but white space, expected"):
        check_rank(RankRequest("u", 1, query=" \t"), LIMITS)


@pytest.mark.parametrize(
    ("context", "text"),
    [
        ((("a", ""), ("b", ""), ("c", "")), "context: got 3, expected 0 to 2"),
        ((("abcde", ""),), "context: got a key or value of 5 bytes, expected at most 4"),
        ((("a", "abcde"),), "context: got a key or value of 5 bytes, expected at most 4"),
    ],
)
def test_a_context_out_of_bounds_is_refused(context: Context, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_rank(RankRequest("u", 1, context=context), LIMITS)
    assert str(refusal.value) == text
    event = Event("e", "u", "i", "like", None, 0, context=context)
    with pytest.raises(InvalidEvent) as event_refusal:
        check_event(event, 0, LIMITS)
    assert str(event_refusal.value) == text


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Item("", "t"), "items[0].id: got 0 bytes, expected 1 to 8"),
        (Item("i", ""), "items[0].text: got nothing but white space, expected 1 to 12"),
        (Item("i", " \n"), "items[0].text: got nothing but white space, expected 1 to 12"),
        (Item("i", "t" * 13), "items[0].text: got 13 bytes, expected 1 to 12"),
        (Item("i", "t", dict.fromkeys("abc", "")), "items[0].attributes: got 3, expected 0 to 2"),
        (Item("i", "t", {"": ""}), "items[0].attributes: got 0 bytes, expected 1 to 3"),
        (Item("i", "t", {"abcd": ""}), "items[0].attributes: got 4 bytes, expected 1 to 3"),
        (
            Item("i", "t", {"a": "abcdef"}),
            "items[0].attributes['a']: got 6 bytes, expected at most 5",
        ),
    ],
)
def test_an_item_out_of_bounds_is_refused(item: Item, text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_item("items[0]", item, LIMITS)
    assert str(refusal.value).startswith(text)


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([], "ids: got 0, expected 1 to 2"),
        (["a", "b", "c"], "ids: got 3, expected 1 to 2"),
        (["a", "a"], "ids[1]: got 'a' twice, expected once"),
        (["a", ""], "ids[1]: got 0 bytes, expected 1 to 8"),
    ],
)
def test_ids_out_of_bounds_are_refused(ids: list[str], text: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_ids("ids", ids, 2, LIMITS)
    assert str(refusal.value).startswith(text)


def test_counts_and_texts_at_the_bounds_are_taken() -> None:
    check_count("events", [1], 1)
    check_count("candidates", [], 1, least=0)
    check_text("text", "t" * 12, 12)
    context = (("abcd", "abcd"),)
    check_rank(RankRequest("u" * 8, 5, tuple("abc"), "x" * 10, context), LIMITS)
    check_item("item", Item("i" * 8, "t" * 12, {"abc": "abcde", "b": ""}), LIMITS)


@given(
    at_us=st.integers(-(2**63), 2**63 - 1),
    now_us=st.integers(1_600_000_000_000_000, 2_000_000_000_000_000),
)
def test_a_time_that_is_refused_is_said_in_words_whatever_it_is(at_us: int, now_us: int) -> None:
    if 0 <= at_us <= now_us + LIMITS.future_s * 1_000_000:
        check_time(InvalidEvent, "occurred_at_us", at_us, now_us, LIMITS)
        return
    with pytest.raises(InvalidEvent) as refused:
        check_time(InvalidEvent, "occurred_at_us", at_us, now_us, LIMITS)
    assert str(at_us) in str(refused.value)
    assert f"{datetime.fromtimestamp(now_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}" in str(
        refused.value
    )


def test_an_hour_ahead_is_said_as_a_date_and_milliseconds_as_what_they_are() -> None:
    now_us = 1_795_821_245_260_155
    hour_ahead = r"got 1795824845260155, 2026-11-28T00:14:05Z, .* \(1795821245260155, 2026-11-27T23"
    with pytest.raises(InvalidEvent, match=hour_ahead):
        check_time(InvalidEvent, "occurred_at_us", now_us + 3600 * 1_000_000, now_us, LIMITS)
    with pytest.raises(InvalidEvent, match="milliseconds were given for seconds"):
        check_time(InvalidEvent, "occurred_at_us", 1_700_000_000_000 * 1_000_000, now_us, LIMITS)


def test_an_id_of_an_element_is_refused_by_its_field() -> None:
    with pytest.raises(InvalidRequest, match=r"^items\[1\]\.id: got 9 bytes"):
        check_ids("items", ["a", "b" * 9], 3, LIMITS, ".id")
    with pytest.raises(InvalidRequest, match=r"^ids\[1\]: got 9 bytes"):
        check_ids("ids", ["a", "b" * 9], 3, LIMITS)
