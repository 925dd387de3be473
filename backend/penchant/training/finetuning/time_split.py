"""The log split by time: training never sees an event that is later than those it trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Int64
from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Three consecutive ranges of positions in a stream."""

    train: range
    validation: range
    """Decides when to stop."""
    test: range
    """Measured once, at the end."""


def split_by_time(
    at_us: Int64, validation_fraction: float = 0.1, test_fraction: float = 0.1
) -> TimeSplit:
    """Splits n events into three parts; events of the same microsecond stay together.

    Args:
        at_us: microseconds since 1970, never falling, shape (n,).
        validation_fraction: share of the events before the test part, above 0.
        test_fraction: share of the events at the end, 0 or more.

    Raises:
        ConfigError: a fraction is out of range, or a part would be empty.

    >>> split_by_time(np.array([1, 2, 3, 4, 5, 6, 7, 7, 7, 8]), 0.2, 0.1)
    TimeSplit(train=range(0, 6), validation=range(6, 9), test=range(9, 10))
    """
    if not (validation_fraction > 0 and test_fraction >= 0):
        raise ConfigError(
            f"validation_fraction, test_fraction: got {validation_fraction}, {test_fraction}, "
            "expected above 0, and 0 or more"
        )
    count = len(at_us)
    first = _cut(at_us, count - round(count * (validation_fraction + test_fraction)))
    second = _cut(at_us, count - round(count * test_fraction))
    parts = TimeSplit(range(first), range(first, second), range(second, count))
    if not parts.train or not parts.validation or (test_fraction > 0 and not parts.test):
        raise ConfigError(
            f"events: {count} events at these times can't be split into a training, a validation "
            f"({validation_fraction}) and a test part ({test_fraction}); give more events"
        )
    return parts


def _cut(at_us: Int64, position: int) -> int:
    """The position, moved back to the first event of the same microsecond."""
    if position >= len(at_us):
        return len(at_us)
    return int(np.searchsorted(at_us, at_us[position], side="left"))
