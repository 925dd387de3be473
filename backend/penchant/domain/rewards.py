"""Signals to rewards: what an event says about its item, by configuration.

>>> table = {"like": Signal(reward=1.0), "rating": Signal(reward=0.0, neutral=2.0, scale=3.0)}
>>> resolve(table, "like", None)
ResolvedSignal(reward=1.0, weight=1.0, wait_s=None, owned=False)
>>> resolve(table, "rating", 5.0).reward
1.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from penchant.domain.errors import ConfigError, InvalidEvent


@dataclass(frozen=True, slots=True)
class Signal:
    """One row of the signal table."""

    reward: float
    """Reward of an event whose value does not count, from -1 (never again) to 1 (more of this)."""
    weight: float = 1.0
    """Weight of the event in the fold, 0 or more."""
    neutral: float | None = None
    """The value with reward 0. With `scale` it turns an event's value into its reward."""
    scale: float | None = None
    """reward = (value - neutral) / scale, clipped to -1 to 1."""
    value_required: bool = False
    """Whether an event without a value is refused."""
    value_min: float | None = None
    """Smallest value of a new event; None: no bound. A smaller one is refused."""
    value_max: float | None = None
    """Largest value of a new event; None: no bound. A larger one is refused."""
    wait_s: float | None = None
    """For impressions: seconds without an answer until the reward counts."""
    owned: bool = False
    """Whether the event makes the item the user's own, which `exclude_owned` leaves out."""

    def __post_init__(self) -> None:
        if not -1 <= self.reward <= 1:
            raise ConfigError(f"signals: reward: got {self.reward}, expected -1 to 1")
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"signals: weight: got {self.weight}, expected 0 or more")
        if (self.neutral is None) != (self.scale is None) or self.scale == 0:
            raise ConfigError("signals: neutral and scale go together, and scale is not 0")
        if not (math.isfinite(self.neutral or 0.0) and math.isfinite(self.scale or 0.0)):
            raise ConfigError("signals: neutral and scale: expected finite numbers")
        bounds = [bound for bound in (self.value_min, self.value_max) if bound is not None]
        if not all(map(math.isfinite, bounds)) or bounds != sorted(bounds):
            raise ConfigError(
                f"signals: value_min and value_max: got {self.value_min} and {self.value_max}, "
                "expected finite numbers, the first not above the second"
            )
        if self.wait_s is not None and not 0 <= self.wait_s < math.inf:
            raise ConfigError(f"signals: wait_s: got {self.wait_s}, expected 0 or more seconds")


@dataclass(frozen=True, slots=True)
class ResolvedSignal:
    """The reward of one event, by the signal table and the event's value."""

    reward: float
    """-1 to 1."""
    weight: float
    """Weight in the fold, 0 or more."""
    wait_s: float | None
    """For an impression: seconds without an answer until the reward counts; else None."""
    owned: bool = False
    """Whether the item becomes the user's own."""


SignalTable = Mapping[str, Signal]


def admit(table: SignalTable, signal: str, value: float | None) -> ResolvedSignal:
    """The reward of a new event; like `resolve`, but refuses a value out of the signal's range.

    An event of the log was accepted by the table of its day, so `resolve` clips its reward instead.

    >>> admit({"rating": Signal(0.0, value_min=0, value_max=5)}, "rating", 99)
    Traceback (most recent call last):
    penchant.domain.errors.InvalidEvent: value: got 99, expected 0 to 5 with the signal 'rating'
    """
    resolved = resolve(table, signal, value)
    row = table[signal]
    low, high = row.value_min, row.value_max
    if value is None or ((low is None or low <= value) and (high is None or value <= high)):
        return resolved
    if high is None:
        expected = f"{low:g} or more"
    elif low is None:
        expected = f"at most {high:g}"
    else:
        expected = f"{low:g} to {high:g}"
    raise InvalidEvent(f"value: got {value:g}, expected {expected} with the signal {signal!r}")


def in_other_case(table: SignalTable, signal: str) -> str:
    """The signal of a table that an unknown one differs from by upper and lower case; else empty.

    >>> in_other_case({"like": Signal(1.0)}, "LIKE")
    'like'
    """
    return next((one for one in table if one.casefold() == signal.casefold()), "")


def resolve(table: SignalTable, signal: str, value: float | None) -> ResolvedSignal:
    """The reward of an event; raises InvalidEvent for an unknown signal or a bad value."""
    row = table.get(signal)
    if row is None:
        known = ", ".join(sorted(table))
        meant = in_other_case(table, signal)
        hint = f"; did you mean {meant!r}?" if meant else ""
        raise InvalidEvent(f"signal: got {signal[:64]!r}, expected one of: {known}{hint}")
    if value is None:
        if row.value_required:
            raise InvalidEvent(f"value: missing, expected a number with the signal {signal!r}")
        return ResolvedSignal(row.reward, row.weight, row.wait_s, row.owned)
    if not math.isfinite(value):
        raise InvalidEvent(f"value: got {value}, expected a finite number")
    if row.neutral is None or row.scale is None:
        return ResolvedSignal(row.reward, row.weight, row.wait_s, row.owned)
    reward = (value - row.neutral) / row.scale
    return ResolvedSignal(max(-1.0, min(1.0, reward)), row.weight, row.wait_s, row.owned)
