"""Columns told by what stands in them, and what is left to the user to say."""

from __future__ import annotations

from penchant.logs.guessed_columns import guess_event_columns, guess_id_column

FIELDS = ["user", "item", "occurred_at"]
N = range(200)
WHO = [f"k{number % 40}" for number in N]
WHAT = [f"p{number % 30}" for number in N]
WHEN = [f"2025-03-{1 + number % 28:02} 10:00" for number in N]
EPOCH = [str(1_700_000_000 + number) for number in N]
FEW = [str(1 + number % 3) for number in N]
IDS = {f"p{number}" for number in range(60)}


def test_item_time_and_user_are_told_whatever_their_names() -> None:
    sample = {"a": FEW, "b": WHEN, "c": WHAT, "d": WHO}
    found = guess_event_columns(sample, FIELDS, [], IDS)
    assert found == {"item": "c", "occurred_at": "b", "user": "d"}


def test_seconds_since_1970_are_times_and_small_numbers_are_not() -> None:
    found = guess_event_columns({"b": EPOCH, "a": FEW}, ["occurred_at"], [], IDS)
    assert found == {"occurred_at": "b"}


def test_what_two_columns_could_be_is_not_guessed() -> None:
    twice = {"b": WHEN, "e": WHEN, "c": WHAT, "f": WHAT, "d": WHO, "g": [one + "x" for one in WHO]}
    assert guess_event_columns(twice, FIELDS, [], IDS) == {}
    assert guess_event_columns({"c": WHAT, "d": WHO, "g": WHO}, ["user"], ["c"], IDS) == {}


def test_without_a_known_item_nobody_is_taken_for_the_user() -> None:
    assert guess_event_columns({"c": WHAT, "b": WHEN}, FIELDS, [], ()) == {"occurred_at": "b"}


def test_a_column_that_is_known_is_left_alone() -> None:
    assert guess_event_columns({"c": WHAT, "d": WHO}, ["item"], ["c"], IDS) == {}


def test_the_id_of_an_item_is_what_the_events_point_to() -> None:
    items = {"name": [f"a {n}" for n in range(60)], "nr": sorted(IDS), "kind": ["x"] * 60}
    assert guess_id_column(items, {"who": WHO, "what": WHAT}) == "nr"
    assert guess_id_column(items, {"who": WHO, "what": FEW}) == ""
