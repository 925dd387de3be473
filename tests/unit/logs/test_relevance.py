"""Which events count as a hit, as a user spells it."""

from __future__ import annotations

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event
from penchant.logs.relevance import POSITIVE, parse_relevance


def event(value: float | None = None, signal: str = "rating") -> Event:
    return Event("e", "u", "i", signal, value, 0)


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("rating>=4", [4.0, 5.0]),
        (" value > 4 ", [5.0]),
        ("value<4", [3.0]),
        ("value<=4", [3.0, 4.0]),
        ("rating==4", [4.0]),
        ("rating=4", [4.0]),
        ("rating!=4", [3.0, 5.0]),
    ],
)
def test_a_value_is_compared(text: str, hits: list[float]) -> None:
    relevance = parse_relevance(text)
    assert [value for value in (3.0, 4.0, 5.0) if relevance(event(value), 0.0)] == hits


def test_an_event_without_a_value_is_no_hit_by_value() -> None:
    assert not parse_relevance("value<100")(event(None), 1.0)
    assert not parse_relevance("value!=1")(event(None), 1.0)


def test_rewards_and_signals_are_compared_too() -> None:
    assert [parse_relevance(POSITIVE)(event(), reward) for reward in (-1, 0, 0.1)] == [
        False, False, True
    ]  # fmt: skip
    assert parse_relevance("signal=purchase")(event(signal="purchase"), 0.0)
    assert not parse_relevance("signal!=purchase")(event(signal="purchase"), 1.0)


@pytest.mark.parametrize(
    "text",
    ["", "rating", "rating>=", "rating>=four", "stars>=4", "signal>view", ">=4", "rating>=4 5"],
)
def test_what_is_no_term_is_refused_with_what_was_got(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_relevance(text)
    assert str(error.value).startswith(f"relevant: got {text!r}, expected ")
