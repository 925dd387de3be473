"""`adagrad`: online gradient descent with smaller steps in dimensions that have learnt much.

    g_t = w_t (y_t - x_t.m_(t-1)) z_t,  z_t = L^(-1/2) V' x_t,  A_0 = V L V'
    u_t = u_(t-1) + eta g_t / sqrt(delta + g_1^2 + ... + g_t^2)      in each dimension
    m_t = m_0 + V L^(-1/2) u_t,  t = 1 to n, from u_0 = 0

J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
optimization", JMLR 2011, figure 1 with diagonal matrices, on ridge's losses. The dimensions are
the catalog's principal axes, scaled to a prior precision of 1 in each. With a large delta and
eta = sqrt(delta), this is `ogd` for small weights. No event moves a dimension by more than eta,
whatever its weight.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Attribution, Observations


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: O(n d + n d^2 + d^3), event by event."""
    axes = _axes(observations)
    moved = [_steps(one, axes, settings).sum(axis=0) for one in observations.each()]
    solved: Float64 = observations.mean + np.stack([axes @ whole for whole in moved])
    return solved


def attribute(observations: Observations, settings: FoldSettings) -> Attribution:
    """See `Updater.attribute`: event t adds V L^(-1/2) (u_t - u_(t-1))."""
    axes = _axes(observations)
    events = _steps(observations, axes, settings) @ axes.T
    return Attribution(prior=observations.mean[None], events=events[None])


def _axes(observations: Observations) -> Float64:
    """V L^(-1/2), shape (d, d)."""
    values, vectors = np.linalg.eigh(observations.precision)
    axes: Float64 = vectors / np.sqrt(values)
    return axes


def _steps(observations: Observations, axes: Float64, settings: FoldSettings) -> Float64:
    """u_t - u_(t-1) for each event of one user, shape (n, d)."""
    scaled = observations.vectors @ axes
    left = (observations.rewards - observations.vectors @ observations.mean).tolist()
    steps = np.empty_like(scaled)
    moved, squares = np.zeros(len(axes)), np.full(len(axes), settings.initial_accumulator)
    rows = zip(observations.weights.tolist(), left, scaled, strict=True)
    for place, (weight, rest, row) in enumerate(rows):
        gradient = row * (weight * (rest - float(row @ moved)))
        squares += gradient * gradient
        steps[place] = settings.learning_rate * gradient / np.sqrt(squares)
        moved += steps[place]
    return steps
