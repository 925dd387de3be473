"""Item vectors: the vector of an item's text plus a residual learnt from feedback.

    x_i = (t_i + r_i) / |t_i + r_i|

t_i is the vector of the text, and r_i the residual fitted to the event log. An item without events
has no residual, and x_i equals t_i bit by bit.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Matrix


def anchored(texts: Matrix, residuals: Matrix) -> Matrix:
    """The vectors of n items, shape (n, d), float32; those with a residual have unit norm.

    Args:
        texts: vectors of the texts, unit norm, shape (n, d).
        residuals: shape (n, d); a row of zeros leaves the text's vector unchanged.

    >>> anchored(np.eye(2, dtype=np.float32), np.array([[0, 1], [0, 0]], np.float32)).round(3)
    array([[0.707, 0.707],
           [0.   , 1.   ]], dtype=float32)
    """
    vectors = texts.astype(np.float32)
    moved = residuals.any(axis=1)
    sums = texts[moved].astype(np.float64) + residuals[moved]
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    opposite = norms[:, 0] == 0  # The sum has no direction, so the text's vector stays.
    sums[opposite], norms[opposite] = texts[moved][opposite], 1.0
    vectors[moved] = sums / norms
    return vectors
