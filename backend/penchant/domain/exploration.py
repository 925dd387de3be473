"""Exploration: randomised rankings with the propensity of each place.

All policies fill places 1 to k in order. A propensity is the probability of the item at its place,
given the items above it; the probability of the whole list is their product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.types import NO_WAIT, Window

Places = NDArray[np.int64]

DAY_US = 86_400_000_000
THOMPSON_DRAWS = 256
"""Draws of the interest from which the propensities are estimated."""
THOMPSON_SHORTLIST = 2_000
"""Items with the highest scores among which Thompson sampling chooses."""


@dataclass(frozen=True, slots=True)
class PlackettLuce:
    """At each place, a remaining item with probability proportional to exp(score / temperature)."""

    temperature: float


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """At each place, a uniform remaining item with probability epsilon, else the best."""

    epsilon: float


@dataclass(frozen=True, slots=True)
class Thompson:
    """At each place, the best remaining item by a draw of the interest from its posterior."""

    scale: float


Policy = PlackettLuce | EpsilonGreedy | Thompson


@dataclass(frozen=True, slots=True)
class Exploration:
    """A policy and its source of randomness."""

    policy: Policy
    seed: int | None = None
    """Seed of the random generator; None: a new one for each ranking."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A ranking drawn by a policy."""

    places: Places
    """Positions of the items in the scores, shape (k,)."""
    propensities: Float64
    """Shape (k,), in (0, 1]."""


def plackett_luce(scores: Float64, k: int, temperature: float, rng: np.random.Generator) -> Drawn:
    """A ranking by Plackett and Luce, drawn by Gumbel top-k; the propensities are exact.

    p(i at j | above) = exp(s_i / T) / sum over the remaining items of exp(s / T)   (R. L. Plackett,
    "The analysis of permutations", 1975). Sorting by s / T plus Gumbel noise draws from it
    (W. Kool, H. van Hoof and M. Welling, "Stochastic beams and where to find them", 2019, sec. 2).

    Args:
        scores: finite, or minus infinity for items that must not be shown, shape (n,).
        k: places; fewer are filled if fewer items may be shown.
        temperature: above 0, in units of the scores.
        rng: the random generator.
    """
    allowed = np.flatnonzero(np.isfinite(scores))
    logits = scores[allowed] / temperature
    chosen = _highest(logits + rng.gumbel(size=len(allowed)), k)
    shifted = np.exp(logits - logits.max(initial=-np.inf))
    likely = shifted[chosen]
    shifted[chosen] = 0.0
    # Summed from the least likely end: a subtraction would lose precision.
    left = shifted.sum() + likely[::-1].cumsum()[::-1]
    propensities = np.divide(likely, left, out=np.ones(len(chosen)), where=left > 0)
    return Drawn(allowed[chosen], np.maximum(propensities, np.finfo(np.float64).tiny))


def epsilon_greedy(scores: Float64, k: int, epsilon: float, rng: np.random.Generator) -> Drawn:
    """A ranking by epsilon-greedy; the propensities are exact.

    p(i at j | above) = epsilon / remaining items + (1 - epsilon) [i is the best of them]. Of items
    with equal scores, the first in the catalog's order is the best. Arguments as for
    `plackett_luce`. Cost: O(n + k log k).
    """
    allowed = np.flatnonzero(np.isfinite(scores))
    count = min(k, len(allowed))
    best = _highest(scores[allowed], k).tolist()
    remaining = _Remaining(len(allowed))
    places: list[int] = []
    propensities: list[float] = []
    best_left = 0
    explored = (rng.random(count) < epsilon).tolist()
    drawn = rng.random(count).tolist()
    for place in range(count):
        while not remaining.holds(best[best_left]):
            best_left += 1
        left = len(allowed) - place
        item = remaining.at(int(drawn[place] * left)) if explored[place] else best[best_left]
        remaining.remove(item)
        propensities.append(epsilon / left + (1 - epsilon) * (item == best[best_left]))
        places.append(item)
    return Drawn(allowed[np.array(places, np.int64)], np.array(propensities))


class _Remaining:
    """The numbers below n that are left; each step costs the same, however many are gone.

    The numbers that are left stand in front, as in a shuffle by Fisher and Yates; only places whose
    number has changed are written down.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._number: dict[int, int] = {}
        """The number at a place, where it is not the place itself."""
        self._place: dict[int, int] = {}
        """The place of a number, where it is not the number itself."""

    def at(self, place: int) -> int:
        """The number at a place, below how many are left."""
        return self._number.get(place, place)

    def holds(self, number: int) -> bool:
        """Whether a number is left."""
        return self._place.get(number, number) < self._count

    def remove(self, number: int) -> None:
        """Takes a number out; the last one moves to its place."""
        self._count -= 1
        place, last = self._place.get(number, number), self.at(self._count)
        self._number[place], self._place[last] = last, place
        self._number[self._count], self._place[number] = number, self._count


def thompson(draws: NDArray[np.floating[Any]], k: int) -> Drawn:
    """A ranking by Thompson sampling; the propensities are estimated.

    Place j gets the best remaining item by draw j. p(i at j | above) is estimated by the share of
    draws by which i is the best remaining item, with one success added, so that none is 0 (W. R.
    Thompson, "On the likelihood that one unknown probability exceeds another", 1933; D. Russo and
    others, "A tutorial on Thompson sampling", 2018, sec. 3).

    Args:
        draws: scores of the items by each draw of the interest, shape (draws, n), at least k
            draws; minus infinity for items that must not be shown.
        k: places.
    """
    left = draws.copy()
    best = left.argmax(axis=1)
    places, propensities = [], []
    for place in range(min(k, int(np.isfinite(draws[0]).sum()))):
        item = int(best[place])
        places.append(item)
        wins = np.flatnonzero(best == item)
        propensities.append((len(wins) + 1) / (len(best) + 1))
        left[:, item] = -np.inf
        best[wins] = left[wins].argmax(axis=1)  # The best of the other draws remains.
    return Drawn(np.array(places, np.int64), np.array(propensities))


def _highest(scores: Float64, k: int) -> Places:
    """Positions of the k highest scores, best first, ties by position. Cost: O(n + k log k)."""
    if k < len(scores):
        low_end = np.partition(scores, len(scores) - k)[len(scores) - k]
        some = np.flatnonzero(scores >= low_end)
    else:
        some = np.arange(len(scores))
    order: Places = some[np.argsort(-scores[some], kind="stable")[:k]]
    return order


def explored_lately(window: Window, now_us: int) -> int:
    """Number of explored impressions of the last 24 hours in a user's window.

    An impression was explored if it states a propensity below 1.
    """
    chance = window["propensity"]
    if not chance.any():  # The usual case, on the hot path of a ranking.
        return 0
    explored = (window["wait_s"] != NO_WAIT) & (chance > 0) & (chance < 1)
    return int((explored & (window["occurred_at_us"] > now_us - DAY_US)).sum())
