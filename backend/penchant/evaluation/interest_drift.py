"""How the interest of a few users moves while they are replayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import (
    Context,
    Vector,
)
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream

USERS = 4


@dataclass(frozen=True, slots=True)
class Drift:
    """One user's slow interest over n rankings."""

    user: str
    at_us: NDArray[np.int64]
    """When each was asked for, shape (n,)."""
    to_last: NDArray[np.float64]
    """Cosine of each with the last one, shape (n,); 0 for an interest of length 0."""


class InterestWatch:
    """Records the slow interest of some users each time Penchant ranks for one of them."""

    def __init__(self, recommender: PenchantRecommender, users: list[int]) -> None:
        self.name = recommender.name
        self._contender = recommender
        self._notes: dict[int, list[tuple[int, Vector]]] = {user: [] for user in users}

    def fit(self, stream: Stream, until: int) -> None:
        """See `Recommender.fit`."""
        self._contender.fit(stream, until)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """See `Recommender.scores`."""
        if user in self._notes:
            self._notes[user].append((at_us, self._contender.interest(user, at_us).slow))
        return self._contender.scores(user, at_us, context)

    def learn(self, position: int) -> None:
        """See `Recommender.learn`."""
        self._contender.learn(position)

    def drifts(self, stream: Stream) -> list[Drift]:
        """What was noted of each user, those without a ranking left out."""
        return [_drift(stream.users[user], notes) for user, notes in self._notes.items() if notes]


def busiest(stream: Stream, targets: EvaluationTargets, count: int = USERS) -> list[int]:
    """The users with the most targets, the earlier one first where two have as many."""
    cases_of = np.bincount(stream.user[targets.positions], minlength=len(stream.users))
    users: list[int] = np.argsort(-cases_of, kind="stable")[:count].tolist()
    return users


def _drift(user: str, notes: list[tuple[int, Vector]]) -> Drift:
    slow = np.array([vector for _, vector in notes], np.float64)
    norms = np.linalg.norm(slow, axis=1)
    scale = np.where(norms > 0, norms * (norms[-1] or 1.0), 1.0)
    at_us = np.array([at for at, _ in notes], np.int64)
    return Drift(user, at_us, (slow @ slow[-1]) / scale)
