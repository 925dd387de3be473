"""`diagonal`: one precision per dimension instead of a matrix.

    m_j = (a_j m_0j + sum_t w_t y_t x_tj) / (a_j + sum_t w_t x_tj^2),  a = diag(A_0)

Equation 2 with all off-diagonal values of A taken for 0: d numbers instead of d^2, no matrix to
solve. The same simplification as the diagonal covariance of K. Crammer, A. Kulesza and M. Dredze,
"Adaptive regularization of weight vectors", NIPS 2009. Equal to ridge where the vectors' axes do
not correlate; elsewhere, what two events have in common is counted twice.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Evidence, Float64, Parts


def solve(evidence: Evidence, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: O(n d)."""
    starts = evidence.lengths.cumsum() - evidence.lengths
    prior = np.diag(evidence.precision)
    weighted = evidence.vectors * evidence.weights[:, None]
    precision = prior + np.add.reduceat(weighted * evidence.vectors, starts)
    targets = np.add.reduceat(weighted * evidence.rewards[:, None], starts)
    solved: Float64 = (prior * evidence.mean + targets) / precision
    return solved


def split(evidence: Evidence, settings: FoldSettings) -> Parts:
    """See `Updater.split`: the sum above, term by term."""
    prior = np.diag(evidence.precision)
    weighted = evidence.vectors * evidence.weights[:, None]
    precision = prior + (weighted * evidence.vectors).sum(axis=0)
    events = weighted * evidence.rewards[:, None] / precision
    return Parts(prior=(prior * evidence.mean / precision)[None], events=events[None])
