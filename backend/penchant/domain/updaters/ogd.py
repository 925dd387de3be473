"""`ogd`: online gradient descent, one step per event, oldest first.

    m_t = m_(t-1) + w_t (y_t - x_t.m_t) A_0^-1 x_t,  t = 1 to n, from m_0
        = m_(t-1) + a_t A_0^-1 x_t
    a_t = w_t (y_t - x_t.m_(t-1)) / (1 + w_t x_t'A_0^-1 x_t)

M. Zinkevich, "Online convex programming and generalized infinitesimal gradient ascent", ICML 2003,
on ridge's losses 1/2 w_t (y_t - x_t.m)^2, with distances in the norm of A_0: the catalog and the
population count as they do in ridge, and their weights act as the step size. The gradient is taken
at the end of the step (B. Kulis and P. L. Bartlett, "Implicit online learning", ICML 2010), so that
no weight, however large, makes it overshoot.

Ridge has the same form: m = m_0 + sum_t w_t (y_t - x_t.m) A_0^-1 x_t. The only difference is m_t in
place of the final m: here an event's error ignores the events after it.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters.observations import Attribution, Observations


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: O(n d + n d^2 + d^3), event by event."""
    gains = _gains(observations)
    solved = np.empty((len(observations.lengths), len(observations.mean)))
    start = 0
    for number, one in enumerate(observations.each()):
        own = gains[start : start + len(one.vectors)]
        solved[number] = observations.mean + _steps(one, own) @ own
        start += len(own)
    return solved


def attribute(observations: Observations, settings: FoldSettings) -> Attribution:
    """See `Updater.attribute`: event t adds a_t A_0^-1 x_t."""
    gains = _gains(observations)
    steps = _steps(observations, gains)
    return Attribution(prior=observations.mean[None], events=(gains * steps[:, None])[None])


def _gains(observations: Observations) -> Float64:
    """A_0^-1 x_t for each event, shape (n, d)."""
    gains: Float64 = np.linalg.solve(observations.precision, observations.vectors.T).T
    return np.ascontiguousarray(gains)


def _steps(observations: Observations, gains: Float64) -> Float64:
    """a_t for each event of one user, shape (n,)."""
    weights = observations.weights
    rates = weights / (1 + weights * (observations.vectors * gains).sum(axis=1))
    mean = observations.mean.copy()
    steps = np.empty(len(rates))
    rows = zip(
        rates.tolist(), observations.rewards.tolist(), observations.vectors, gains, strict=True
    )
    for place, (rate, reward, vector, gain) in enumerate(rows):
        step = rate * (reward - float(vector @ mean))
        mean += step * gain
        steps[place] = step
    return steps
