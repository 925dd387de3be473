"""The shapes of a load: how the rate of arrivals goes over a run.

A shape is a curve of straight lines: shares of the run and of the highest rate. Its integral counts
arrivals, and the inverse of that says when each is due, so that every shape is an open loop.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

Corner = tuple[float, float]


def _day() -> tuple[Corner, ...]:
    """A day by its hours: least at four in the morning, most at four in the afternoon."""
    hours = [(hour, 0.6 - 0.4 * math.cos((hour - 4) / 24 * math.tau)) for hour in range(25)]
    return tuple((hour / 24, share) for hour, share in hours)


SHAPES: dict[str, tuple[Corner, ...]] = {
    "steady": ((0.0, 1.0), (1.0, 1.0)),
    "soak": ((0.0, 1.0), (1.0, 1.0)),
    "ramp": ((0.0, 0.1), (1.0, 1.0)),
    "spike": ((0.0, 1 / 3), (0.45, 1 / 3), (0.45, 1.0), (0.55, 1.0), (0.55, 1 / 3), (1.0, 1 / 3)),
    "diurnal": _day(),
}
"""Corners of each shape: share of the run, share of the highest rate."""

SHARE_OF_CAPACITY = {"steady": 0.5, "soak": 0.7, "ramp": 0.9, "spike": 0.9, "diurnal": 0.7}
"""The highest rate of each shape, unless one is given, as a share of the capacity."""

USUAL_S = {"steady": 120.0, "soak": 1800.0, "ramp": 180.0, "spike": 180.0, "diurnal": 240.0}
"""Seconds of each shape, unless told otherwise; a day is compressed."""


@dataclass(frozen=True, slots=True)
class RateCurve:
    """Arrivals per second over a run, in straight lines.

    >>> curve = RateCurve.of("ramp", highest=100.0, seconds=10.0)
    >>> curve.arrivals(10.0)
    550.0
    >>> round(curve.due_s(550.0), 6)
    10.0
    """

    times: tuple[float, ...]
    """Corners in seconds after the start, in order; two at one time are a jump."""
    rates: tuple[float, ...]
    """Arrivals per second at the corners, more than 0."""

    @classmethod
    def of(cls, shape: str, highest: float, seconds: float, lead_s: float = 0.0) -> RateCurve:
        """A shape over some seconds.

        Args:
            shape: key of `SHAPES`.
            highest: highest rate, in arrivals per second.
            seconds: length of the run.
            lead_s: seconds before it, at its first rate.
        """
        corners = SHAPES[shape]
        times = [lead_s + share * seconds for share, _ in corners]
        rates = [share * highest for _, share in corners]
        if lead_s:
            times, rates = [0.0, *times], [rates[0], *rates]
        return cls(tuple(times), tuple(rates))

    def arrivals(self, at_s: float) -> float:
        """Number of arrivals that are due until a time; behind the end, the last rate goes on."""
        total = 0.0
        for (start, first), (end, last) in self._pieces():
            if at_s <= start:
                return total
            length = min(at_s, end) - start
            slope = (last - first) / (end - start) if math.isfinite(end) else 0.0
            total += length * (first + slope * length / 2)
        return total

    def due_s(self, arrival: float) -> float:
        """Time of an arrival, counted from 0, in seconds after the start."""
        sums = self._sums()
        place = min(bisect.bisect_right(sums, arrival), len(sums)) - 1
        (start, first), (end, last) = self._pieces()[place]
        rest = arrival - sums[place]
        slope = (last - first) / (end - start) if math.isfinite(end) else 0.0
        if abs(slope) < 1e-12:
            return start + rest / first
        # slope / 2 * t^2 + first * t = rest, in the form that does not cancel.
        return start + 2 * rest / (first + math.sqrt(first * first + 2 * slope * rest))

    def _pieces(self) -> list[tuple[Corner, Corner]]:
        corners = [*zip(self.times, self.rates, strict=True), (math.inf, self.rates[-1])]
        pairs = itertools.pairwise(corners)
        return [(one, other) for one, other in pairs if other[0] > one[0]]

    def _sums(self) -> Sequence[float]:
        areas = [
            (end - start) * (first + last) / 2
            for (start, first), (end, last) in self._pieces()[:-1]
        ]
        return [0.0, *itertools.accumulate(areas)]
