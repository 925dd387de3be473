"""The input and output of every updater: the seam between the fold and its updaters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.settings import FoldSettings


@dataclass(frozen=True, slots=True)
class Observations:
    """The prior, and the n events of m users, one user's window after another."""

    precision: Float64
    """A_0 of equation 1, shape (d, d), symmetric and positive definite."""
    mean: Float64
    """m_0, shape (d,)."""
    vectors: Float64
    """x_t, shape (n, d); any finite row if the weight is 0."""
    rewards: Float64
    """y_t, -1 to 1, shape (n,)."""
    weights: Float64
    """w_t of equation 3, 0 or more, shape (n,)."""
    lengths: Int64
    """Events per user, 1 or more, shape (m,); their sum is n."""

    def each(self) -> Iterator[Observations]:
        """The observations of one user at a time."""
        ends = self.lengths.cumsum().tolist()
        for length, end in zip(self.lengths.tolist(), ends, strict=True):
            own = slice(end - length, end)
            yield dataclasses.replace(
                self,
                vectors=self.vectors[own],
                rewards=self.rewards[own],
                weights=self.weights[own],
                lengths=np.array([length]),
            )


@dataclass(frozen=True, slots=True)
class Attribution:
    """One user's p slow interests as sums over prior and events: prior + sum_t event_t."""

    prior: Float64
    """The population's part, shape (p, d)."""
    events: Float64
    """Each event's part, shape (p, n, d)."""


class Updater(Protocol):
    """Turns observations into slow interests. Each module of this package but this one is one.

    Updaters are pure: a user's result depends on that user's observations alone, not on the rest of
    the batch. p is `FoldSettings.interests`.
    """

    def solve(self, observations: Observations, settings: FoldSettings) -> Float64:
        """The p slow interests of each user, concatenated, shape (m, p d)."""
        ...

    def attribute(self, observations: Observations, settings: FoldSettings) -> Attribution:
        """The result of `solve` for a single user, attributed to the events."""
        ...
