"""Implicit-feedback matrix factorisation (iALS), fitted by `implicit`, users folded in.

Yifan Hu, Yehuda Koren and Chris Volinsky, "Collaborative Filtering for Implicit Feedback
Datasets", ICDM 2008; a user is folded in by its equation 4, with confidences that fall with age.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from penchant.domain.types import (
    Context,
    Vector,
)
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream


class Ials:
    """Item factors of the last fit, user factors of this moment; see `Recommender`.

    `regularization` times the mean number of likes is the λ of the paper, where that mean is the
    geometric one of a user's and an item's: the largest singular value of the matrix of likes grows
    with it, so that a λ which is right for many likes would leave nothing of few.

    A fit takes O(likes · factors²) per sweep, a ranking O(factors³ + items · factors). A cold user
    gets what is popular.
    """

    name = "ials"

    def __init__(
        self,
        seed: int,
        *,
        factors: int = 64,
        regularization: float = 0.8,
        alpha: float = 5.0,
        sweeps: int = 15,
        decay: float = 0.85,
    ) -> None:
        self._decay = decay
        self._likes = Likes()
        self._seed = seed
        self._factors = factors
        self._regularization = regularization
        self._alpha = alpha
        self._sweeps = sweeps
        self._model: Any = None

    def fit(self, stream: Stream, until: int) -> None:
        """Factorises the events before `until`, from the seed's random start."""
        self._likes.follow(stream, until)
        rows = [list(dict.fromkeys(liked)) for liked in self._likes.by_user]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.array([item for row in rows for item in row], np.int32)
        likes = csr_matrix(
            (np.ones(len(columns), np.float32), columns, ends), (len(rows), len(stream.items))
        )
        active = np.count_nonzero(np.diff(ends)) * np.unique(columns).size
        scale = columns.size / np.sqrt(max(active, 1))
        with threadpool_limits(1, "blas"):  # implicit warns of any other number
            self._model = AlternatingLeastSquares(
                factors=self._factors,
                regularization=self._regularization * max(scale, 1.0),
                alpha=self._alpha,
                iterations=self._sweeps,
                random_state=self._seed,
            )
            self._model.fit(likes, show_progress=False)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Item factors times the user's, solved for the likes so far, older ones weighing less."""
        items, weights = self._likes.decayed(user, self._decay)
        if items.size == 0:
            return self._likes.counts.copy()
        likes = csr_matrix((weights, items, [0, items.size]), (1, len(self._likes.counts)))
        likes.sum_duplicates()
        scores: Vector = self._model.item_factors @ self._model.recalculate_user(0, likes)
        return scores

    def learn(self, position: int) -> None:
        """The user's history grows; the item factors wait for the next fit."""
        self._likes.add(position)
