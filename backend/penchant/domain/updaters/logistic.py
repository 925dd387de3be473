"""`logistic`: the reward has a ceiling; Laplace's approximation, carried over from the population.

    E[y_t] = tanh(x_t.m)                                                                  (L1)
    m = argmin 1/2 |m - m_0|^2_A0 + sum_t w_t (log 2 cosh(x_t.m) - y_t x_t.m)              (L2)

L1 is logistic regression for rewards from -1 to 1: with p = (1 + y) / 2, p = sigmoid(2 x.m), and
L2 is its cross-entropy. Near 0 it is ridge with the same prior and weights, since there tanh(s) is
s. The prior N(m_0, A_0^-1) is the population's, as the fixed effect of X. Zhang et al., "GLMix:
generalized linear mixed models for large-scale response prediction", KDD 2016, and the mean and
precision that each user's model starts from in R. Ramanath et al., "Lambda Learner: fast
incremental learning on data streams", KDD 2021. The latter carries a user's own posterior from
batch to batch; here the window is kept, so m is found anew and no approximation adds up. m is the
mean of Laplace's approximation; its precision is A_0 + sum_t w_t (1 - tanh^2(x_t.m)) x_t x_t'.

The minimum is found by the bound of T. S. Jaakkola and M. I. Jordan ("Bayesian parameter
estimation via variational methods", 2000): log 2 cosh has, at every s, a parabola above it that
touches it and has the curvature tanh(s) / s. So

    m <- (A_0 + sum_t w_t h_t x_t x_t')^-1 (A_0 m_0 + sum_t w_t y_t x_t),  h_t = tanh(s_t) / s_t

lowers L2 at every step, from any start, without a step size: each step is a ridge solution.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters import ridge
from penchant.domain.updaters.observations import Observations, Parts

TOLERANCE = 1e-7
"""The steps end where no x_t.m moves by more."""

MOST_STEPS = 100


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: that of ridge a step, about 5 steps."""
    return np.stack([_settle(one)[0] for one in observations.each()])


def split(observations: Observations, settings: FoldSettings) -> Parts:
    """See `Updater.split`: that of ridge at the curvatures of the last step."""
    return ridge.split_with(observations, _settle(observations)[1])


def _settle(observations: Observations) -> tuple[Float64, Float64]:
    """The mean and the curvatures w_t h_t that it was solved with, shapes (d,) and (n,)."""
    vectors, weights = observations.vectors, observations.weights
    target = observations.precision @ observations.mean + (weights * observations.rewards) @ vectors
    logits = np.zeros(len(vectors))
    for _ in range(MOST_STEPS):
        curvatures = weights * _curvature(logits)
        precision = observations.precision + (vectors * curvatures[:, None]).T @ vectors
        mean = np.linalg.solve(precision, target)
        before, logits = logits, np.where(weights > 0, vectors @ mean, 0.0)
        if np.abs(logits - before).max() <= TOLERANCE:
            break
    return mean, curvatures


def _curvature(logits: Float64) -> Float64:
    """tanh(s) / s, 1 at 0."""
    return np.divide(np.tanh(logits), logits, out=np.ones_like(logits), where=logits != 0)
