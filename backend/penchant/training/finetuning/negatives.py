"""Hard negatives: items that lie near what a user likes and that the user does not like.

The other users' items of a step are mostly easy to tell from a user's own; those that the present
vectors put nearest teach more (Xiong et al., "Approximate nearest neighbor negative contrastive
learning for dense text retrieval", 2021, which also mines them anew as training goes on).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import Matrix
from penchant.training.finetuning.sequences import History


def nearest_not_liked(
    vectors: Matrix, piece: History, liked: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """The items nearest to the likes of a piece of a history that its user does not like.

    Args:
        vectors: Unit vectors of all items, shape (items, d).
        piece: the likes; nearness is the cosine to their sum, weighted by reward.
        liked: All items that the user likes in the training part.
        count: How many, 0 or more.

    Returns:
        Item numbers, rising, at most `count`. Equal arguments give equal items. Cost: O(items * d).

    >>> vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.8, 0.2]], np.float32)
    >>> piece = History(0, np.array([0]), np.ones(1, np.float32))
    >>> nearest_not_liked(vectors, piece, np.array([0, 1]), 1).tolist()
    [3]
    """
    nearness = vectors @ (piece.rewards @ vectors[piece.items])
    nearness[liked] = -np.inf
    most = min(count, len(vectors) - len(np.unique(liked)))
    return np.sort(np.argsort(-nearness, kind="stable")[:most])
