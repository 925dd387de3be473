"""What every updater is given and what it gives: the seam between the fold and its updaters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings


@dataclass(frozen=True, slots=True)
class Observations:
    """The prior and the n events of m users, one user's window after the other's."""

    precision: Float64
    """A_0 of equation 1, shape (d, d), symmetric and positive definite."""
    mean: Float64
    """m_0, shape (d,)."""
    vectors: Float64
    """x_t, shape (n, d); any finite row where the weight is 0."""
    rewards: Float64
    """y_t, -1 to 1, shape (n,)."""
    weights: Float64
    """w_t of equation 3, 0 or more, shape (n,)."""
    lengths: NDArray[np.int64]
    """Events of each user, each 1 or more, shape (m,); they sum to n."""

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
class Parts:
    """Who says what in one user's p slow interests: prior + sum over events = interest."""

    prior: Float64
    """The population's part, shape (p, d)."""
    events: Float64
    """Each event's part, shape (p, n, d)."""


class Updater(Protocol):
    """A way from observations to slow interests; each module of this package but this one is one.

    Pure: equal observations gives equal results, whoever else is in the batch. p is
    `FoldSettings.interests`.
    """

    def solve(self, observations: Observations, settings: FoldSettings) -> Float64:
        """The slow interests of each user, one behind the other, shape (m, p d)."""
        ...

    def split(self, observations: Observations, settings: FoldSettings) -> Parts:
        """What `solve` gives for a single user, taken apart by event."""
        ...
