"""An item's vector: its text's, moved by what users taught about the item.

    x_i = (t_i + r_i) / |t_i + r_i|

t_i is the text's vector and r_i the residual that the event log gave. An item without events has
no residual, and x_i = t_i to the bit.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Matrix


def anchored(texts: Matrix, residuals: Matrix) -> Matrix:
    """The vectors of n items, shape (n, d), float32, unit norm where there is a residual.

    Args:
        texts: the texts' vectors, unit norm, shape (n, d).
        residuals: shape (n, d); a row of zeros leaves its text's vector as it is.

    >>> anchored(np.eye(2, dtype=np.float32), np.array([[0, 1], [0, 0]], np.float32)).round(3)
    array([[0.707, 0.707],
           [0.   , 1.   ]], dtype=float32)
    """
    vectors = texts.astype(np.float32)
    moved = residuals.any(axis=1)
    sums = texts[moved].astype(np.float64) + residuals[moved]
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    opposite = norms[:, 0] == 0  # The sum has no direction: the text keeps its own.
    sums[opposite], norms[opposite] = texts[moved][opposite], 1.0
    vectors[moved] = sums / norms
    return vectors
