"""Diverse lists by maximal marginal relevance.

    next = argmax over the remaining items of (1 - delta) r(i) - delta max over the list of x_i.x_j

(J. Carbonell and J. Goldstein, "The use of MMR, diversity-based reranking for reordering documents
and producing summaries", 1998), with r the score scaled to 0 to 1 over the pool.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Matrix, Rows, Vector

POOL_FACTOR = 10
"""Items in the pool per place in the list."""
LARGEST_POOL = 3_000
"""Items in the pool, at most, unless the list is longer: the cost grows with pool times list."""


def pool_size(k: int) -> int:
    """Size of the pool, the items with the highest scores, from which k are chosen."""
    return max(k, min(POOL_FACTOR * k, LARGEST_POOL))


def diversify(vectors: Matrix, scores: Vector, k: int, diversity: float) -> Rows:
    """Chooses k items of the pool by maximal marginal relevance, in the order of the list.

    Args:
        vectors: of the pool's items, unit norm, shape (n, d).
        scores: of the pool's items, finite, in descending order, shape (n,).
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
