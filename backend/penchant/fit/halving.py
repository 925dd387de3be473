"""Successive halving: all choices on few users, the better half on more, the best on all.

K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
optimization", 2016. The first choice, the default, takes part in every round, and is replaced only
by one that beats it, ranking by ranking, with a 95 % interval over users above zero: the best of a
dozen equals looks better by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from penchant.domain.arrays import Float64, Int64
from penchant.evaluation.metrics import estimates

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Halved(Generic[T]):
    """The outcome of a search."""

    best: T
    first: float
    """Mean gain of the first choice in the last round that was judged; NaN without any."""
    reached: float
    """That of the best."""
    tried: int
    """Choices that were judged at least once, the first included."""


Judge = Callable[[T, int], Float64 | None]
"""The gain of each ranking of a choice in a round, shape (n,); None: the time is over."""


def successive_halving(
    choices: Sequence[T], rounds: Sequence[Int64], judge: Judge[T], seed: int
) -> Halved[T]:
    """Finds the best of some choices.

    Args:
        choices: one or more, the default first.
        rounds: the user of each ranking of each round, in the order of the rounds.
        judge: judges a choice in a round.
        seed: seed of the resamples of users.
    """
    left, best = list(choices), choices[0]
    first = reached = float("nan")
    tried = 0
    for number, users in enumerate(rounds):
        gains = []
        for choice in left:
            found = judge(choice, number)
            if found is None:
                break
            gains.append(found)
        if not gains:
            break
        tried = max(tried, len(gains))
        order = sorted(range(len(gains)), key=lambda place: -gains[place].mean())
        first = float(gains[0].mean())
        top = order[0]
        best = left[top] if certain(gains[top] - gains[0], users, seed) else left[0]
        reached = float(gains[left.index(best)].mean())
        if len(gains) < len(left) or len(left) == 1:
            break  # The time is over, or there is nothing to choose from.
        kept = sorted({0, *order[: max(1, len(left) // 2)]})
        left = [left[place] for place in kept]
    return Halved(best, first, reached, tried)


def certain(gaps: Float64, users: Int64, seed: int) -> bool:
    """Whether the 95 % interval of a mean gap, over users, is above zero.

    >>> import numpy as np
    >>> certain(np.array([0.1, 0.2, 0.3]), np.array([1, 2, 3]), seed=1)
    True
    >>> certain(np.zeros(3), np.array([1, 2, 3]), seed=1)
    False
    """
    (found,) = estimates(gaps[:, None], users, seed)
    return found.low > 0
