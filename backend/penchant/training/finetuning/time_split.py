"""The log cut by time: what comes later is never seen by what trains on what came before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Parts:
    """Positions of a stream, one part after the other."""

    train: range
    validation: range
    """Chooses when to stop."""
    test: range
    """Is looked at once, when all is done."""


def split_by_time(
    at_us: NDArray[np.int64], validation_fraction: float = 0.1, test_fraction: float = 0.1
) -> Parts:
    """Cuts n events in time order into three parts; events of one moment stay together.

    Args:
        at_us: Microseconds since 1970, never falling, shape (n,).
        validation_fraction: Share of the events, above 0, before the test part.
        test_fraction: Share of the events at the end, 0 or more.

    Raises:
        ConfigError: the fractions leave nothing to train on, or a part would be empty.

    >>> split_by_time(np.array([1, 2, 3, 4, 5, 6, 7, 7, 7, 8]), 0.2, 0.1)
    Parts(train=range(0, 6), validation=range(6, 9), test=range(9, 10))
    """
    if not (validation_fraction > 0 and test_fraction >= 0):
        raise ConfigError(
            f"validation_fraction, test_fraction: got {validation_fraction}, {test_fraction}, "
            "expected more than 0, and 0 or more"
        )
    count = len(at_us)
    first = _cut(at_us, count - round(count * (validation_fraction + test_fraction)))
    second = _cut(at_us, count - round(count * test_fraction))
    parts = Parts(range(first), range(first, second), range(second, count))
    if not parts.train or not parts.validation or (test_fraction > 0 and not parts.test):
        raise ConfigError(
            f"events: {count} events with these moments can't be cut into a training, a validation "
            f"({validation_fraction}) and a test part ({test_fraction}); give more events"
        )
    return parts


def _cut(at_us: NDArray[np.int64], position: int) -> int:
    """The position, moved back to the first event of its moment."""
    if position >= len(at_us):
        return len(at_us)
    return int(np.searchsorted(at_us, at_us[position], side="left"))
