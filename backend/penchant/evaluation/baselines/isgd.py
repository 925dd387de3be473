"""Incremental matrix factorisation from hits alone (ISGD).

João Vinagre, Alípio Mário Jorge and João Gama, "Fast Incremental Matrix Factorization for
Recommendation with Positive-Only Feedback", UMAP 2014, algorithm 2: each hit is one step of
stochastic gradient descent towards p·q = 1.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.types import Context, Vector
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream


class Isgd:
    """User and item vectors that move with every hit; see `Recommender`.

    Needs no refit; O(`factors`) per event, O(items · `factors`) per ranking.
    """

    name = "isgd"

    def __init__(
        self,
        seed: int,
        *,
        factors: int = 5,
        rate: float = 0.1,
        regularization: float = 0.2,
        spread: float = 0.1,
    ) -> None:
        self._seed = seed
        self._factors = factors
        self._rate = rate
        self._regularization = regularization
        self._spread = spread
        self._likes = Likes()
        self._users: Float64 = np.zeros((0, factors))
        self._items: Float64 = np.zeros((0, factors))

    def fit(self, stream: Stream, until: int) -> None:
        """Takes one step for each new event before `until`."""
        new = self._likes.follow(stream, until)
        if new.start == 0:
            random = np.random.default_rng(self._seed)
            self._users = random.normal(0, self._spread, (len(stream.users), self._factors))
            self._items = random.normal(0, self._spread, (len(stream.items), self._factors))
        for position in new:
            self._step(position)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Ranks as the paper does: the closer p·q to 1, the higher."""
        distances: Vector = np.abs(1 - self._items @ self._users[user]).astype(np.float32)
        return -distances

    def learn(self, position: int) -> None:
        """Takes one step for the event."""
        self._likes.add(position)
        self._step(position)

    def _step(self, position: int) -> None:
        stream = self._likes.stream
        if not stream.relevant[position]:
            return
        p, q = self._users[stream.user[position]], self._items[stream.item[position]]
        error = 1 - p @ q
        p += self._rate * (error * q - self._regularization * p)
        q += self._rate * (error * p - self._regularization * q)
