"""A list whose items differ: maximal marginal relevance.

    next = argmax over the items left of (1 - delta) r(i) - delta max over the list of x_i.x_j

(J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking for reordering documents
and producing summaries", 1998), with r the score brought to 0 to 1 over the pool.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Matrix, Rows, Vector

POOL_FACTOR = 10
"""The list is chosen among so many times its length, of the highest scores."""


def pool_size(k: int) -> int:
    """How many of the best items a diverse list of k is chosen from."""
    return POOL_FACTOR * k


def diversify(vectors: Matrix, scores: Vector, k: int, diversity: float) -> Rows:
    """The pool's k items by maximal marginal relevance, in the order in which they are chosen.

    Args:
        vectors: the pool's, of unit norm, shape (n, d).
        scores: the pool's, falling, finite, shape (n,).
        k: length of the list.
        diversity: delta, 0 to 1.

    Returns:
        Positions in the pool, shape (min(k, n),). Cost: O(k n d).
    """
    spread = float(scores[0] - scores[-1]) if len(scores) else 0.0
    relevance = (scores - scores[-1:]) / (spread or 1.0)
    nearest = np.zeros(len(scores), np.float32)
    left = np.ones(len(scores), np.bool_)
    chosen: list[int] = []
    for _ in range(min(k, len(scores))):
        worth = np.where(left, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        left[best] = False
        likeness = vectors @ vectors[best]
        nearest = likeness if len(chosen) == 1 else np.maximum(nearest, likeness)
    return np.array(chosen, np.int64)
