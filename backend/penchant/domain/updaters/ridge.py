"""`ridge`, the default: equation 2 solved exactly.

    A = A_0 + sum_t w_t x_t x_t'
    m = A^-1 (A_0 m_0 + sum_t w_t y_t x_t)

The minimum of 1/2 |m - m_0|^2_A0 + 1/2 sum_t w_t (y_t - x_t.m)^2; as a posterior, that of Bayesian
linear regression (A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for
nonorthogonal problems", 1970).
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Observations, Parts


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


def split(observations: Observations, settings: FoldSettings) -> Parts:
    """See `Updater.split`: event t adds A^-1 w_t y_t x_t, since m is linear in the rewards."""
    return split_with(observations, observations.weights)


def split_with(observations: Observations, curvatures: Float64) -> Parts:
    """The parts where A is A_0 + sum_t c_t x_t x_t', for curvatures c_t, shape (n,)."""
    vectors = observations.vectors
    precision = observations.precision + (vectors * curvatures[:, None]).T @ vectors
    factors = observations.weights * observations.rewards
    told = np.column_stack(
        [observations.precision @ observations.mean, (vectors * factors[:, None]).T]
    )
    solved = np.linalg.solve(precision, told).T
    return Parts(prior=solved[:1], events=solved[None, 1:])
