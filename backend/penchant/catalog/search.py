"""Exact search: scores of all rows by one matrix product, the best k by a partial sort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import Rows, Vector

_LEFT_OUT = np.float32(-np.inf)
_FEW = 256
"""Up to this many scores, a full sort is as fast as a partial one."""
_GROUP = 64


def top_k(scores: Vector, k: int) -> Rows:
    """Positions of the k highest scores that are not -inf, best first; ties by position.

    Cost: two passes over the scores, and the order of little more than k of them.

    >>> top_k(np.array([0.5, 2.0, 2.0, -np.inf, 1.0], np.float32), 4).tolist()
    [1, 2, 4, 0]
    """
    if len(scores) <= max(_FEW, k):
        return _in_order(scores, k)
    positions = np.flatnonzero(scores >= _low_end(scores, k))
    return positions[_in_order(scores[positions], k)]


def _in_order(scores: Vector, k: int) -> Rows:
    order: NDArray[np.int64] = (-scores).argsort(kind="stable")[:k]
    if len(order) and scores[order[-1]] > _LEFT_OUT:
        return order
    return order[scores[order] > _LEFT_OUT]


def _low_end(scores: Vector, k: int) -> np.float32:
    """A score that at least k scores reach, and not many more.

    Of many scores, it is the k-th highest among the maxima of groups of 64. Each maximum is one of
    the scores, so the k-th highest maximum is no higher than the k-th highest score, and there are
    64 times fewer values to sort.
    """
    groups = len(scores) // _GROUP
    if groups > 4 * k:
        scores = scores[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
    low_end: np.float32 = np.partition(scores, len(scores) - k)[len(scores) - k]
    return low_end
