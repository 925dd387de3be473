"""Hard negatives: items near a user's likes that the user does not like.

Most other users' items in a step are easy to tell from a user's own. The items nearest under the
current vectors teach more (Xiong et al., "Approximate nearest neighbor negative contrastive
learning for dense text retrieval", 2021, which also mines them again as training goes on).
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Int64
from penchant.domain.types import Matrix
from penchant.training.finetuning.sequences import History


def nearest_not_liked(vectors: Matrix, segment: History, liked: Int64, count: int) -> Int64:
    """The items nearest to a segment's likes that its user does not like.

    Args:
        vectors: unit vectors of all items, shape (items, d).
        segment: the likes; nearness is the cosine to their sum, weighted by reward.
        liked: all items the user likes in the training part.
        count: maximum number of items, 0 or more.

    Returns:
        Item numbers, rising. Equal arguments give equal items. Cost: O(items * d).

    >>> vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.8, 0.2]], np.float32)
    >>> segment = History(0, np.array([0]), np.ones(1, np.float32))
    >>> nearest_not_liked(vectors, segment, np.array([0, 1]), 1).tolist()
    [3]
    """
    nearness = vectors @ (segment.rewards @ vectors[segment.items])
    nearness[liked] = -np.inf
    most = min(count, len(vectors) - len(np.unique(liked)))
    return np.sort(np.argsort(-nearness, kind="stable")[:most])
