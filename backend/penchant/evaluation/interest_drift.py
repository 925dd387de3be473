"""How the interest of a few users moves while they are replayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import (
    Context,
    Vector,
)
from penchant.evaluation.penchant import PenchantContender
from penchant.evaluation.targets import Cases
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
    """A Penchant contender that notes the slow interest of some users whenever it ranks for one."""

    def __init__(self, contender: PenchantContender, users: list[int]) -> None:
        self.name = contender.name
        self._contender = contender
        self._notes: dict[int, list[tuple[int, Vector]]] = {user: [] for user in users}

    def fit(self, stream: Stream, until: int) -> None:
        """See `Contender.fit`."""
        self._contender.fit(stream, until)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """See `Contender.scores`."""
        if user in self._notes:
            self._notes[user].append((at_us, self._contender.interest(user, at_us).slow))
        return self._contender.scores(user, at_us, context)

    def learn(self, position: int) -> None:
        """See `Contender.learn`."""
        self._contender.learn(position)

    def drifts(self, stream: Stream) -> list[Drift]:
        """What was noted of each user, those without a ranking left out."""
        return [_drift(stream.users[user], notes) for user, notes in self._notes.items() if notes]


def busiest(stream: Stream, cases: Cases, count: int = USERS) -> list[int]:
    """The users with the most cases, the earlier one first where two have as many."""
    cases_of = np.bincount(stream.user[cases.positions], minlength=len(stream.users))
    users: list[int] = np.argsort(-cases_of, kind="stable")[:count].tolist()
    return users


def _drift(user: str, notes: list[tuple[int, Vector]]) -> Drift:
    slow = np.array([vector for _, vector in notes], np.float64)
    norms = np.linalg.norm(slow, axis=1)
    scale = np.where(norms > 0, norms * (norms[-1] or 1.0), 1.0)
    at_us = np.array([at for at, _ in notes], np.int64)
    return Drift(user, at_us, (slow @ slow[-1]) / scale)
