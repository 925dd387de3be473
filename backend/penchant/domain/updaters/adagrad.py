"""`adagrad`: online gradient descent whose steps shrink where much was learnt already.

    g_t = w_t (y_t - x_t.m_(t-1)) z_t,  z_t = L^(-1/2) V' x_t,  A_0 = V L V'
    u_t = u_(t-1) + eta g_t / sqrt(delta + g_1^2 + ... + g_t^2)      each dimension by itself
    m_t = m_0 + V L^(-1/2) u_t,  t = 1 to n, from u_0 = 0

J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic
optimization", JMLR 2011, figure 1 with diagonal matrices, on ridge's losses. The dimensions are
the catalog's principal axes, scaled so that the prior's precision is 1 in each: with a large delta
and eta = sqrt(delta) this is `ogd` for small weights. No dimension moves by more than eta an event,
whatever the weights.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Observations, Parts


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: O(n d + n d^2 + d^3), the events in turn."""
    axes = _axes(observations)
    moved = [_steps(one, axes, settings).sum(axis=0) for one in observations.each()]
    solved: Float64 = observations.mean + np.stack([axes @ whole for whole in moved])
    return solved


def split(observations: Observations, settings: FoldSettings) -> Parts:
    """See `Updater.split`: event t adds V L^(-1/2) (u_t - u_(t-1))."""
    axes = _axes(observations)
    events = _steps(observations, axes, settings) @ axes.T
    return Parts(prior=observations.mean[None], events=events[None])


def _axes(observations: Observations) -> Float64:
    """V L^(-1/2), shape (d, d)."""
    values, vectors = np.linalg.eigh(observations.precision)
    axes: Float64 = vectors / np.sqrt(values)
    return axes


def _steps(observations: Observations, axes: Float64, settings: FoldSettings) -> Float64:
    """u_t - u_(t-1) of one user's events, shape (n, d)."""
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
