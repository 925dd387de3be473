"""Implicit-feedback matrix factorisation (iALS), fitted by `implicit`, users folded in.

Yifan Hu, Yehuda Koren and Chris Volinsky, "Collaborative Filtering for Implicit Feedback
Datasets", ICDM 2008; its equation 4 folds a user in, with confidences that decay with age.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from penchant.domain.types import Context, Vector
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream


class Ials:
    """Item factors of the last fit, user factors of the moment; see `Recommender`.

    The paper's λ is `regularization` times the mean number of likes, which is the geometric mean of
    the means per user and per item. The largest singular value of the matrix of likes grows with
    that mean, so a λ that suits many likes would shrink the factors of few to nothing.

    A fit takes O(likes · factors²) per sweep, a ranking O(factors³ + items · factors). A cold user
    gets popular items.
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
        """Factorises the likes before `until`, starting from the seed's random factors."""
        self._likes.follow(stream, until)
        rows = [list(dict.fromkeys(liked)) for liked in self._likes.by_user]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.array([item for row in rows for item in row], np.int32)
        likes = csr_matrix(
            (np.ones(len(columns), np.float32), columns, ends), (len(rows), len(stream.items))
        )
        active = np.count_nonzero(np.diff(ends)) * np.unique(columns).size
        scale = columns.size / np.sqrt(max(active, 1))
        with threadpool_limits(1, "blas"):  # implicit warns about any other number.
            self._model = AlternatingLeastSquares(
                factors=self._factors,
                regularization=self._regularization * max(scale, 1.0),
                alpha=self._alpha,
                iterations=self._sweeps,
                random_state=self._seed,
            )
            self._model.fit(likes, show_progress=False)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Item factors times the user's, which are solved for the likes so far, weighted by age."""
        items, weights = self._likes.decayed(user, self._decay)
        if items.size == 0:
            return self._likes.counts.copy()
        likes = csr_matrix((weights, items, [0, items.size]), (1, len(self._likes.counts)))
        likes.sum_duplicates()
        scores: Vector = self._model.item_factors @ self._model.recalculate_user(0, likes)
        return scores

    def learn(self, position: int) -> None:
        """Extends the user's history; item factors change at the next fit."""
        self._likes.add(position)
