"""Drift of a few users' interest during a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.types import Context, Vector
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream

USERS = 4


@dataclass(frozen=True, slots=True)
class Drift:
    """One user's slow interest over n rankings."""

    user: str
    at_us: Int64
    """Time of each ranking, in microseconds since 1970, shape (n,)."""
    to_last: Float64
    """Cosine of each interest with the last one, shape (n,); 0 for an interest of length 0."""


InterestNotes = dict[int, list[tuple[int, Vector]]]
"""Time and slow interest of each ranking, by user."""


class InterestWatch:
    """Records the slow interest of some users whenever Penchant ranks for one of them."""

    def __init__(self, recommender: PenchantRecommender, users: Sequence[int]) -> None:
        self.name = recommender.name
        self.recommender = recommender
        self.users = tuple(users)
        self._notes: InterestNotes = {user: [] for user in users}

    @property
    def notes(self) -> InterestNotes:
        """What was noted so far, of the users who were ranked for."""
        return {user: notes for user, notes in self._notes.items() if notes}

    def add(self, notes: InterestNotes) -> None:
        """Takes over what another watch noted of users whom this one has not ranked for."""
        self._notes |= notes

    def fit(self, stream: Stream, until: int) -> None:
        """See `Recommender.fit`."""
        self.recommender.fit(stream, until)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """See `Recommender.scores`."""
        if user in self._notes:
            self._notes[user].append((at_us, self.recommender.interest(user, at_us).slow))
        return self.recommender.scores(user, at_us, context)

    def learn(self, position: int) -> None:
        """See `Recommender.learn`."""
        self.recommender.learn(position)

    def drifts(self, stream: Stream) -> list[Drift]:
        """One drift per watched user with at least one ranking."""
        return [_drift(stream.users[user], notes) for user, notes in self._notes.items() if notes]


def busiest(stream: Stream, targets: EvaluationTargets, count: int = USERS) -> list[int]:
    """The users with the most targets; ties go to the lower user number."""
    rankings_of = np.bincount(stream.user[targets.positions], minlength=len(stream.users))
    users: list[int] = np.argsort(-rankings_of, kind="stable")[:count].tolist()
    return users


def _drift(user: str, notes: list[tuple[int, Vector]]) -> Drift:
    slow = np.array([vector for _, vector in notes], np.float64)
    norms = np.linalg.norm(slow, axis=1)
    scale = np.where(norms > 0, norms * (norms[-1] or 1.0), 1.0)
    at_us = np.array([at for at, _ in notes], np.int64)
    return Drift(user, at_us, (slow @ slow[-1]) / scale)
