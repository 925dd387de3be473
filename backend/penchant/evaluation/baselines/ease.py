"""A linear item-item model in closed form (EASE), plain and with windowed co-occurrence.

Harald Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.types import Context, Matrix, Rows, Vector
from penchant.evaluation.baselines.likes import Likes, check_pairs
from penchant.logs.stream import Stream


class Ease:
    """B = I - P · diag(1 / diag P), P = (G + λI)⁻¹, with G = XᵀX; see `Recommender`.

    A fit takes O(items³) time and a few times 8 · items² bytes, a ranking O(items · likes). A cold
    user gets popular items.
    """

    name = "ease"

    def __init__(self, *, regularization: float = 400.0, decay: float = 0.9) -> None:
        self._regularization = regularization
        self._decay = decay
        self._likes = Likes()
        self._weights: Matrix = np.zeros((0, 0), np.float32)

    def fit(self, stream: Stream, until: int) -> None:
        """Solves for the weights from the likes before `until`."""
        check_pairs(self.name, len(stream.items))
        self._likes.follow(stream, until)
        gram = np.zeros((len(stream.items), len(stream.items)))
        for liked in self._likes.by_user:
            self._count(gram, np.array(list(dict.fromkeys(liked)), np.int64))
        self._weights = solve(gram, self._regularization)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The user's likes, weighted by age, times the weights."""
        items, weights = self._likes.decayed(user, self._decay)
        if items.size == 0:
            return self._likes.counts.copy()
        return weights @ self._weights[items]

    def learn(self, position: int) -> None:
        """Extends the user's history; the weights change at the next fit."""
        self._likes.add(position)

    def _count(self, gram: Float64, liked: Rows) -> None:
        gram[np.ix_(liked, liked)] += 1


class EaseWindowed(Ease):
    """EASE with a G that counts only likes of a user near one another; see `Ease`.

    Two likes at distance a in their user's order count 1 - a / (`window` + 1), and nothing beyond
    the window. These weights keep G positive semidefinite, as XᵀX is.
    """

    name = "ease-windowed"

    def __init__(
        self, *, window: int = 160, regularization: float = 400.0, decay: float = 0.85
    ) -> None:
        super().__init__(regularization=regularization, decay=decay)
        self._window = window

    def _count(self, gram: Float64, liked: Rows) -> None:
        gram[liked, liked] += 1
        for apart in range(1, min(self._window + 1, liked.size)):
            near = 1 - apart / (self._window + 1)
            gram[liked[apart:], liked[:-apart]] += near
            gram[liked[:-apart], liked[apart:]] += near


def solve(gram: Float64, regularization: float) -> Matrix:
    """The weights B for a Gram matrix, shape (items, items), with zeros on the diagonal.

    Column j predicts item j from all others by ridge regression.

    >>> solve(np.array([[2.0, 1.0], [1.0, 3.0]]), 1.0).round(3)
    array([[0.   , 0.333],
           [0.25 , 0.   ]], dtype=float32)
    """
    inverse = np.linalg.inv(gram + regularization * np.eye(len(gram)))
    weights = inverse / -np.diagonal(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)
