"""A sample of positions, spread evenly, for searches that can't look at all of them."""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Int64


def even_sample(positions: Int64, most: int) -> Int64:
    """At most so many of the positions, shape (n,), in their order; the first and the last stay.

    >>> even_sample(np.arange(10), 4).tolist()
    [0, 3, 6, 9]
    """
    count = min(most, len(positions))
    return positions[np.linspace(0, len(positions) - 1, count).astype(np.int64)]
