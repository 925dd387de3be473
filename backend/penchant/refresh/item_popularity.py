"""An item's popularity as of a refresh, for half-lives that the live offsets do not keep.

    popularity(i) = log(1 + p_i / (c_0 + 0.1 mean p))

p_i is the sum of positive rewards, each halved every half-life before the log's end, and c_0 the
prior of `penchant.domain.offsets`.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.offsets import log_odds
from penchant.domain.types import Vector

POPULARITY_HALF_LIVES_S = (1e12, 60 * 86400.0)
"""Half-lives that a refresh chooses from; the first is longer than any log."""


def popularity_of(
    item: Int64, reward: Float64, at_us: Int64, items: int, half_life_s: float
) -> Vector:
    """The popularity of all items, shape (items,).

    Args:
        item: items' numbers, shape (n,).
        reward: positive rewards, 0 for other events, shape (n,).
        at_us: microseconds since 1970, shape (n,).
        items: number of items.
        half_life_s: one of `POPULARITY_HALF_LIVES_S`.

    >>> likes = np.array([0, 0, 1])
    >>> popularity = popularity_of(likes, np.ones(3), np.zeros(3, np.int64), 3, 1e12)
    >>> popularity.astype(float).round(2).tolist()
    [0.5, 0.28, 0.0]
    """
    age_s = (at_us.max(initial=0) - at_us) / 1e6
    likes = np.bincount(item, np.maximum(0.0, reward) * np.exp2(-age_s / half_life_s), items)
    return log_odds(likes.astype(np.float64), np.zeros(items), prior_impressions=50.0)
