"""Exact search: scores of all rows by one matrix product, the best k by a partial sort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import Rows, Vector


def top_k(scores: Vector, k: int) -> Rows:
    """Positions of the k highest scores that are not -inf, best first; ties by position.

    Cost: O(n) for the partial sort and O(k log k) for the order.

    >>> top_k(np.array([0.5, 2.0, 2.0, -np.inf, 1.0], np.float32), 4).tolist()
    [1, 2, 4, 0]
    """
    if len(scores) > 4 * k:
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        positions = np.flatnonzero(scores >= threshold)
    else:
        positions = np.arange(len(scores))
    order = np.lexsort((positions, -scores[positions]))[:k]
    best: NDArray[np.int64] = positions[order]
    return best[scores[best] > -np.inf]
