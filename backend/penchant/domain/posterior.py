"""The uncertainty of the fold: draws of the slow interest from its posterior.

    m ~ N(mean, scale^2 A^-1),   A = A_0 + sum_t w_t x_t x_t'

This is the posterior of Bayesian linear regression with unit noise (C. M. Bishop, "Pattern
recognition and machine learning", 2006, eq. 3.49 to 3.51). A is equation 1 of
`penchant.domain.interest`: exact for the updater `ridge`, an approximation for the others. The
slow interests of one user share the deviation of a draw.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.context import Slots
from penchant.domain.event_weights import weigh
from penchant.domain.interest import Items, Prior
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Window


def deviations(
    prior: Prior,
    window: Window,
    items: Items,
    bucket: int,
    settings: FoldSettings,
    context: Slots | None,
    draws: int,
    rng: np.random.Generator,
) -> Float64:
    """Draws of m minus its mean, at scale 1, shape (draws, d). Cost: O(n d^2 + d^3)."""
    precision = prior.precision
    if len(window):
        weights = weigh(window, items.known, bucket, settings, context=context).slow
        vectors = items.vectors.astype(np.float64)
        precision = precision + (vectors * weights[:, None]).T @ vectors
    factor = np.linalg.cholesky(precision)
    noise = rng.standard_normal((len(precision), draws))
    drawn: Float64 = np.linalg.solve(factor.T, noise).T
    return drawn
