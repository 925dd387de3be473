"""`diagonal`: one precision per dimension instead of a matrix.

    m_j = (a_j m_0j + sum_t w_t y_t x_tj) / (a_j + sum_t w_t x_tj^2),  a = diag(A_0)

Equation 2 with the off-diagonal entries of A set to 0: d numbers instead of d^2, and no matrix to
solve. K. Crammer, A. Kulesza and M. Dredze simplify the covariance in the same way ("Adaptive
regularization of weight vectors", NIPS 2009). It equals ridge if the dimensions of the vectors do
not correlate; otherwise it counts twice what two events have in common.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Attribution, Observations


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: O(n d)."""
    starts = observations.lengths.cumsum() - observations.lengths
    prior = np.diag(observations.precision)
    weighted = observations.vectors * observations.weights[:, None]
    precision = prior + np.add.reduceat(weighted * observations.vectors, starts)
    targets = np.add.reduceat(weighted * observations.rewards[:, None], starts)
    solved: Float64 = (prior * observations.mean + targets) / precision
    return solved


def attribute(observations: Observations, settings: FoldSettings) -> Attribution:
    """See `Updater.attribute`: the sum above, term by term."""
    prior = np.diag(observations.precision)
    weighted = observations.vectors * observations.weights[:, None]
    precision = prior + (weighted * observations.vectors).sum(axis=0)
    events = weighted * observations.rewards[:, None] / precision
    return Attribution(prior=(prior * observations.mean / precision)[None], events=events[None])
