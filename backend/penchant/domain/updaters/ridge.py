"""`ridge`, the default: equation 2 solved exactly.

    A = A_0 + sum_t w_t x_t x_t'
    m = A^-1 (A_0 m_0 + sum_t w_t y_t x_t)

m minimises 1/2 |m - m_0|^2_A0 + 1/2 sum_t w_t (y_t - x_t.m)^2 (A. E. Hoerl and R. W. Kennard,
"Ridge regression: biased estimation for nonorthogonal problems", 1970). As a posterior, it is that
of Bayesian linear regression.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Attribution, Observations


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: O(n d^2 + m d^3); memory: 8 m d^2 bytes."""
    weighted = observations.vectors * observations.weights[:, None]
    ends = observations.lengths.cumsum()
    starts = ends - observations.lengths
    precision = np.empty((len(ends), *observations.precision.shape))
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        np.matmul(weighted[start:end].T, observations.vectors[start:end], out=precision[number])
    precision += observations.precision
    targets = np.add.reduceat(weighted * observations.rewards[:, None], starts)
    targets += observations.precision @ observations.mean
    solved: Float64 = np.linalg.solve(precision, targets[:, :, None])[:, :, 0]
    return solved


def attribute(observations: Observations, settings: FoldSettings) -> Attribution:
    """See `Updater.attribute`: m is linear in the rewards, so event t adds A^-1 w_t y_t x_t."""
    return attribute_with(observations, observations.weights)


def attribute_with(observations: Observations, curvatures: Float64) -> Attribution:
    """The attribution with A = A_0 + sum_t c_t x_t x_t', for curvatures c_t, shape (n,)."""
    vectors = observations.vectors
    precision = observations.precision + (vectors * curvatures[:, None]).T @ vectors
    factors = observations.weights * observations.rewards
    targets = np.column_stack(
        [observations.precision @ observations.mean, (vectors * factors[:, None]).T]
    )
    solved = np.linalg.solve(precision, targets).T
    return Attribution(prior=solved[:1], events=solved[None, 1:])
