"""Signals to rewards."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError, InvalidEvent
from penchant.domain.rewards import ResolvedSignal, Signal, admit, resolve
from penchant.domain.signals import DEFAULT_SIGNALS


@pytest.mark.parametrize(
    ("signal", "value", "reward", "weight"),
    [
        ("like", None, 1.0, 1.0),
        ("dislike", None, -1.0, 1.0),
        ("rating", 5.0, 1.0, 1.0),
        ("rating", 3.5, 0.5, 1.0),
        ("rating", 2.0, 0.0, 1.0),
        ("rating", 0.5, -0.5, 1.0),
        ("purchase", None, 1.0, 2.0),
        ("click", None, 0.5, 1.0),
        ("view", None, 0.3, 1.0),
        ("complete", None, 0.8, 1.0),
        ("skip", None, -0.3, 1.0),
        ("hide", None, -1.0, 2.0),
        ("like", 7.0, 1.0, 1.0),
    ],
)
def test_the_default_table(signal: str, value: float | None, reward: float, weight: float) -> None:
    assert resolve(DEFAULT_SIGNALS, signal, value) == ResolvedSignal(
        reward, weight, None, signal == "purchase"
    )


def test_an_impression_is_a_weak_no_after_half_an_hour() -> None:
    assert resolve(DEFAULT_SIGNALS, "impression", None) == ResolvedSignal(-0.1, 0.2, 1800.0)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(value=FINITE, neutral=FINITE, scale=FINITE.filter(bool))
def test_a_reward_never_leaves_its_range(value: float, neutral: float, scale: float) -> None:
    table = {"rating": Signal(0.0, neutral=neutral, scale=scale)}
    assert -1 <= resolve(table, "rating", value).reward <= 1


@given(values=st.tuples(FINITE, FINITE))
def test_more_stars_are_never_worth_less(values: tuple[float, float]) -> None:
    fewer, more = (resolve(DEFAULT_SIGNALS, "rating", value).reward for value in sorted(values))
    assert fewer <= more


@pytest.mark.parametrize("signal", ["", "Like", "like ", "x" * 1000])
def test_an_unknown_signal_is_refused_with_the_known_ones(signal: str) -> None:
    with pytest.raises(InvalidEvent, match=r"signal: got .* expected one of: click, ") as refusal:
        resolve(DEFAULT_SIGNALS, signal, None)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("signal", ["like", "rating"])
def test_a_value_that_is_no_number_is_refused(signal: str, value: float) -> None:
    with pytest.raises(InvalidEvent, match=r"value: got -?(nan|inf), expected a finite number"):
        resolve(DEFAULT_SIGNALS, signal, value)


def test_a_signal_that_needs_a_value_is_refused_without() -> None:
    with pytest.raises(InvalidEvent, match="value: missing, expected a number"):
        resolve(DEFAULT_SIGNALS, "rating", None)


@pytest.mark.parametrize(
    "row",
    [
        {"reward": 1.1},
        {"reward": -1.1},
        {"reward": math.nan},
        {"reward": 0.0, "weight": -0.1},
        {"reward": 0.0, "weight": math.nan},
        {"reward": 0.0, "weight": math.inf},
        {"reward": 0.0, "neutral": 1.0},
        {"reward": 0.0, "scale": 1.0},
        {"reward": 0.0, "neutral": 1.0, "scale": 0.0},
        {"reward": 0.0, "neutral": math.nan, "scale": 1.0},
        {"reward": 0.0, "neutral": 1.0, "scale": math.nan},
        {"reward": 0.0, "neutral": 1.0, "scale": math.inf},
        {"reward": 0.0, "wait_s": -1.0},
        {"reward": 0.0, "wait_s": math.nan},
        {"reward": 0.0, "wait_s": math.inf},
    ],
)
def test_a_row_out_of_range_is_a_config_error(row: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="signals: "):
        Signal(**row)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bounds", "value", "expected"),
    [
        ((0.0, 5.0), 5.1, "0 to 5"),
        ((0.0, 5.0), -0.1, "0 to 5"),
        ((0.0, None), -1, "0 or more"),
        ((None, 5.0), 99, "at most 5"),
    ],
)
def test_a_new_event_keeps_within_its_signals_range_and_the_log_is_read_as_it_is(
    bounds: tuple[float | None, float | None], value: float, expected: str
) -> None:
    row = Signal(0.0, neutral=2.0, scale=3.0, value_min=bounds[0], value_max=bounds[1])
    with pytest.raises(InvalidEvent) as refusal:
        admit({"stars": row}, "stars", value)
    assert str(refusal.value) == (
        f"value: got {value:g}, expected {expected} with the signal 'stars'"
    )
    assert -1 <= resolve({"stars": row}, "stars", value).reward <= 1
    for inside in (0.0, 5.0):
        assert admit({"stars": row}, "stars", inside) == resolve({"stars": row}, "stars", inside)


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (math.nan, None), (None, math.inf)])
def test_a_range_that_is_none_is_refused(bounds: tuple[float | None, float | None]) -> None:
    with pytest.raises(ConfigError, match="value_min and value_max"):
        Signal(0.0, value_min=bounds[0], value_max=bounds[1])


def test_a_signal_in_other_case_is_named_as_it_is_known() -> None:
    with pytest.raises(InvalidEvent, match=r"got 'LIKE', .*; did you mean 'like'\?"):
        resolve(DEFAULT_SIGNALS, "LIKE", None)
