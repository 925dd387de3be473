"""Principal components of embeddings, with the sign of each axis fixed."""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.types import Matrix


def principal_components(embeddings: Matrix) -> tuple[Float64, Float64, Float64]:
    """The mean, the principal axes and the variance along each axis, largest variance first.

    Equal embeddings give equal signs: each axis points up in its largest component.

    Args:
        embeddings: shape (n, hidden).

    Returns:
        Mean, shape (hidden,); axes as rows, shape (hidden, hidden); variances, shape (hidden,).
        All float64. Cost: O(n hidden² + hidden³).

    >>> mean, axes, variances = principal_components(np.array([[0, 3], [0, -1.0]], np.float32))
    >>> mean.tolist(), axes[0].tolist(), variances.tolist()
    ([0.0, 1.0], [0.0, 1.0], [8.0, 0.0])
    """
    mean: Float64 = embeddings.mean(axis=0, dtype=np.float64)
    covariance = np.atleast_2d(np.cov(embeddings, rowvar=False, dtype=np.float64))
    variances, axes = np.linalg.eigh(covariance)
    variances, axes = variances[::-1], axes[:, ::-1].T
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    return mean, axes * np.sign(largest)[:, None], variances
