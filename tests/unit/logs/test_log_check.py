"""What is said about a log before anything is fitted to it."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.log_check import LogCheck, check_log
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import make_stream

DAY_US = 86_400_000_000
NOW_US = 20_000 * DAY_US


def event(number: int, user: str, item: str, at_us: int, signal: str = "like") -> Event:
    return Event(f"e{number}", user, item, signal, None, at_us)


def checked(events: Sequence[Event], texts: Sequence[str] = ("a red lamp", "b", "c")) -> LogCheck:
    items = [Item(name, text) for name, text in zip("abcdefgh", texts, strict=False)]
    stream = make_stream(items, events, DEFAULT_SIGNALS, parse_relevance("reward>0"), LeftOut())
    return check_log(stream, NOW_US)


def said(check: LogCheck) -> str:
    return " ".join(check.sentences())


def test_counts_span_and_signals_are_said() -> None:
    events = [
        event(1, "ann", "a", DAY_US * 100),
        event(2, "ann", "b", DAY_US * 130 + 5, "dislike"),
        event(3, "ben", "a", DAY_US * 120),
    ]
    text = said(checked(events))
    assert "3 events of 2 users about 3 items, from 1970-04-11 to 1970-05-11" in text
    assert "Signals: like 2, dislike 1. 67% of the events are likes, 67% are hits." in text


def test_repeats_decide_what_is_ranked() -> None:
    again = [event(number, "ann", "a", number * DAY_US) for number in range(10)]
    assert checked(again).repeats == 0.9
    assert "users are ranked all items" in said(checked(again))
    new = [event(number, f"u{number}", "a", number * DAY_US) for number in range(10)]
    assert "users are ranked the items that are new to them" in said(checked(new))


def test_sessions_within_a_second_are_named() -> None:
    burst = [event(number, "ann", "abc"[number % 3], DAY_US + number) for number in range(9)]
    assert checked(burst).same_second == 8 / 9
    assert "within a second" in said(checked(burst))
    calm = [event(number, "ann", "a", number * 60_000_000) for number in range(9)]
    assert checked(calm).same_second == 0.0


def test_one_time_whole_days_and_a_wrong_clock_are_named() -> None:
    assert "one and the same time" in said(checked([event(n, f"u{n}", "a", 7) for n in range(3)]))
    days = [event(number, "ann", "a", number * DAY_US) for number in range(3)]
    assert "whole days" in said(checked(days))
    ahead = [event(1, "ann", "a", NOW_US + DAY_US + 1)]
    assert "dated after now: 1" in said(checked(ahead))
    assert checked(ahead).ahead == 1


def test_items_without_events_are_counted() -> None:
    check = checked([event(1, "ann", "a", DAY_US)])
    assert check.items_without_events == 2
    assert "Items without an event: 2" in said(check)


def test_texts_that_are_ids_are_no_texts() -> None:
    one = [event(1, "ann", "a", DAY_US)]
    assert not checked(one, texts=("a", "b", "c")).has_texts
    assert "have no texts" in said(checked(one, texts=("a", "b", "c")))
    assert checked(one, texts=("a red lamp", "a blue boat", "c")).has_texts
    assert not checked(one, texts=("thing", "thing", "thing")).has_texts
