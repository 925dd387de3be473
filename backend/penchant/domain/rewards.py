"""Signals to rewards: what an event is worth, by configuration.

>>> table = {"like": Signal(reward=1.0), "rating": Signal(reward=0.0, neutral=2.0, scale=3.0)}
>>> resolve(table, "like", None)
Outcome(reward=1.0, weight=1.0, wait_s=None, owned=False)
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
    """What it says of the item, -1 (never again) to 1 (more of this), where no value counts."""
    weight: float = 1.0
    """How much the fold listens, 0 or more."""
    neutral: float | None = None
    """The value that says nothing; with `scale`, an event's value gives its reward."""
    scale: float | None = None
    """reward = (value - neutral) / scale, clipped to -1 to 1."""
    value_required: bool = False
    """Refuse the signal without a value."""
    wait_s: float | None = None
    """For impressions: the reward counts once so many seconds passed without an answer."""
    owned: bool = False
    """Whether such an event makes the item the user's own: `exclude_owned` leaves it out."""

    def __post_init__(self) -> None:
        if not -1 <= self.reward <= 1:
            raise ConfigError(f"signals: reward: got {self.reward}, expected -1 to 1")
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"signals: weight: got {self.weight}, expected 0 or more")
        if (self.neutral is None) != (self.scale is None) or self.scale == 0:
            raise ConfigError("signals: neutral and scale go together, and scale is not 0")
        if not (math.isfinite(self.neutral or 0.0) and math.isfinite(self.scale or 0.0)):
            raise ConfigError("signals: neutral and scale: expected finite numbers")
        if self.wait_s is not None and not 0 <= self.wait_s < math.inf:
            raise ConfigError(f"signals: wait_s: got {self.wait_s}, expected 0 or more seconds")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event is worth."""

    reward: float
    weight: float
    wait_s: float | None
    owned: bool = False


SignalTable = Mapping[str, Signal]


def resolve(table: SignalTable, signal: str, value: float | None) -> Outcome:
    """What an event with this signal and value is worth; raises InvalidEvent for a wrong one."""
    row = table.get(signal)
    if row is None:
        known = ", ".join(sorted(table))
        raise InvalidEvent(f"signal: got {signal[:64]!r}, expected one of: {known}")
    if value is None:
        if row.value_required:
            raise InvalidEvent(f"value: missing, expected a number with the signal {signal!r}")
        return Outcome(row.reward, row.weight, row.wait_s, row.owned)
    if not math.isfinite(value):
        raise InvalidEvent(f"value: got {value}, expected a finite number")
    if row.neutral is None or row.scale is None:
        return Outcome(row.reward, row.weight, row.wait_s, row.owned)
    reward = (value - row.neutral) / row.scale
    return Outcome(max(-1.0, min(1.0, reward)), row.weight, row.wait_s, row.owned)
