"""Bisection on a noisy function: the rate at which a server stops keeping its service level.

A level that is measured twice may pass once and fail once, so plain bisection can throw away the
half that holds the answer, and never finds back. Probabilistic bisection keeps a distribution over
the answer instead, asks at its median, and lets each reply move the mass by as much as it can be
trusted (Horstein 1963; Waeber, Frazier and Henderson, Bisection Search with Noisy Responses, SIAM
J. Control Optim. 2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64

_STEPS_AN_OCTAVE = 64
_MOST_TRUST = 0.95
"""Largest probability with which one reply counts: a machine is not the same from one minute to the
next, which no interval within one run shows."""
_LEAST_TRUST = 0.55
"""A run that says nothing clearly still says a little."""


@dataclass(frozen=True, slots=True)
class CredibleInterval:
    """Where the capacity lies."""

    low: float
    middle: float
    """The median."""
    high: float

    @property
    def ratio(self) -> float:
        """The upper end over the lower one; 1 or more."""
        return self.high / self.low


class NoisyBisection:
    """The distribution over the rate at which `holds` turns from true to false.

    >>> search = NoisyBisection(10, 10_000)
    >>> for _ in range(20):
    ...     rate = search.next_rate()
    ...     search.learn(rate, 0.99 if rate <= 700 else 0.01)
    >>> 650 < search.interval().middle < 750
    True
    """

    def __init__(self, lowest: float, highest: float) -> None:
        """Knows nothing yet: every octave between the two is as likely.

        Args:
            lowest: smallest rate that is tried, more than 0.
            highest: largest rate that is tried.

        Raises:
            ValueError: the rates are not in this order.
        """
        if not 0 < lowest < highest:
            raise ValueError(f"rates: got {lowest} to {highest}, expected 0 < lowest < highest")
        steps = max(2, math.ceil(math.log2(highest / lowest) * _STEPS_AN_OCTAVE))
        self._edges: Float64 = np.geomspace(lowest, highest, steps + 1)
        # One place more at either end, as likely as an octave: the answer may lie outside.
        self._mass: Float64 = np.ones(steps + 2)
        self._mass[[0, -1]] = _STEPS_AN_OCTAVE
        self._mass /= self._mass.sum()

    def next_rate(self) -> float:
        """The rate that halves the mass: its answer tells most."""
        return self.interval().middle

    def learn(self, rate: float, chance: float) -> None:
        """Takes in one measured level.

        Args:
            rate: arrivals per second of the level.
            chance: probability that the service level holds there, by that measurement alone.
        """
        trust = min(max(chance, 1 - chance, _LEAST_TRUST), _MOST_TRUST)
        # The answer lies above the rate if the level held there.
        above = np.searchsorted(self._edges, rate, side="left") + 1
        factor = np.full_like(self._mass, 1 - trust if chance >= 0.5 else trust)
        factor[above:] = trust if chance >= 0.5 else 1 - trust
        self._mass *= factor
        self._mass /= self._mass.sum()

    def interval(self, share: float = 0.9) -> CredibleInterval:
        """The median, and the interval that holds a share of the mass; ends are clipped."""
        outer = (1 - share) / 2
        low, middle, high = (self._quantile(part) for part in (outer, 0.5, 1 - outer))
        return CredibleInterval(low, middle, high)

    def _quantile(self, part: float) -> float:
        sums = np.cumsum(self._mass)
        place = int(np.searchsorted(sums, part))
        if place == 0:
            return float(self._edges[0])
        if place >= len(self._edges):
            return float(self._edges[-1])
        inside = (part - sums[place - 1]) / self._mass[place]
        low, high = self._edges[place - 1], self._edges[place]
        return float(low * (high / low) ** inside)

    def outside(self) -> str:
        """`below` or `above` if the answer rather lies beyond the rates; else empty."""
        if self._mass[0] > 0.5:
            return "below"
        return "above" if self._mass[-1] > 0.5 else ""
