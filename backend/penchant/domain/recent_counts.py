"""What items earned lately: the positive rewards of their counters, faded faster than those are.

The counters of `penchant.domain.offsets` keep one half-life, which their rows in the store hold. On
some logs, of news and daily offers above all, what counts is what people like this hour. A refresh
then learns a shorter half-life h, and the live offsets are made of

    q_i = sum of what each event added to p_i, halved every h since

in place of p_i. q follows from the counters alone: whenever they change from p to p' after t
seconds, q gains p' - 2^(-t / H) p, if that is positive, where H is their own half-life. So nothing
else is stored. The refresh publishes q as of its end with the p that it knows of; what the counters
have earned since then counts as of their newest event.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.types import Vector


def _none() -> Vector:
    return np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class RecentCounts:
    """The faster sums of n items as of a moment."""

    half_life_s: float = 0.0
    """h, in seconds; 0: the live offsets keep the half-life of the counters."""
    as_of_us: int = 0
    """Microseconds since 1970."""
    recent: Vector = field(default_factory=_none)
    """q of each item, shape (n,)."""
    counted: Vector = field(default_factory=_none)
    """p of each item, which q was made of, shape (n,)."""

    def __bool__(self) -> bool:
        return self.half_life_s > 0

    def same_as(self, other: RecentCounts) -> bool:
        """Whether both hold the same."""
        return (
            (self.half_life_s, self.as_of_us) == (other.half_life_s, other.as_of_us)
            and np.array_equal(self.recent, other.recent)
            and np.array_equal(self.counted, other.counted)
        )

    def moved(self, move: Callable[[Vector], Vector]) -> RecentCounts:
        """The same with each array moved to other places.

        >>> counts = RecentCounts(60.0, 0, np.zeros(2, np.float32), np.ones(2, np.float32))
        >>> counts.moved(lambda values: values[:1]).counted.tolist()
        [1.0]
        """
        if not self:
            return self
        return dataclasses.replace(self, recent=move(self.recent), counted=move(self.counted))

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """As a file holds them, by name."""
        return {
            "recent": self.recent,
            "recent_counted": self.counted,
            "recent_half_life_s": np.array(self.half_life_s),
            "recent_as_of_us": np.array(self.as_of_us),
        }


def read_recent_counts(arrays: Mapping[str, NDArray[Any]]) -> RecentCounts:
    """Reads what `RecentCounts.arrays` holds; none from a file of an earlier release."""
    if "recent" not in arrays:
        return RecentCounts()
    return RecentCounts(
        float(arrays["recent_half_life_s"]),
        int(arrays["recent_as_of_us"]),
        arrays["recent"],
        arrays["recent_counted"],
    )


def gained(before: Float64, after: Float64, elapsed_us: Float64, half_life_s: float) -> Float64:
    """What counters gained when they changed, shape (n,); nothing where they lost.

    Args:
        before: p, shape (n,).
        after: p after the change, shape (n,).
        elapsed_us: microseconds from the one to the other, shape (n,).
        half_life_s: H, the counters' own.

    >>> gained(np.array([4.0]), np.array([3.0]), np.array([10e6]), half_life_s=10.0).tolist()
    [1.0]
    """
    left = before * faded(elapsed_us, half_life_s)
    more: Float64 = np.maximum(0.0, after - left)
    return more


def faded(elapsed_us: Float64, half_life_s: float) -> Float64:
    """The factors by which sums fade in some microseconds, at most 1, shape (n,)."""
    share: Float64 = np.exp2(-np.maximum(0.0, elapsed_us) / (half_life_s * 1e6))
    return share
