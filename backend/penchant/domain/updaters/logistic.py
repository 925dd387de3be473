"""`logistic`: a bounded reward, by Laplace's approximation with the population's prior.

    E[y_t] = tanh(x_t.m)                                                                  (L1)
    m = argmin 1/2 |m - m_0|^2_A0 + sum_t w_t (log 2 cosh(x_t.m) - y_t x_t.m)              (L2)

L1 is logistic regression for rewards from -1 to 1: with p = (1 + y) / 2, p = sigmoid(2 x.m), and
L2 is its cross-entropy. Near 0, where tanh(s) is s, it is ridge with the same prior and weights.
The prior N(m_0, A_0^-1) is the population's, like the fixed effect in X. Zhang et al., "GLMix:
generalized linear mixed models for large-scale response prediction", KDD 2016, and the initial
mean and precision of each user's model in R. Ramanath et al., "Lambda Learner: fast incremental
learning on data streams", KDD 2021. Lambda Learner carries a user's posterior from batch to batch;
here the window is kept and m is solved anew, so approximations do not accumulate. m is the mean of
Laplace's approximation; its precision is A_0 + sum_t w_t (1 - tanh^2(x_t.m)) x_t x_t'.

The minimum is found with the bound of T. S. Jaakkola and M. I. Jordan ("Bayesian parameter
estimation via variational methods", 2000): at every s, a parabola of curvature tanh(s) / s touches
log 2 cosh from above. So the step

    m <- (A_0 + sum_t w_t h_t x_t x_t')^-1 (A_0 m_0 + sum_t w_t y_t x_t),  h_t = tanh(s_t) / s_t

lowers L2 from any start and needs no step size: each step is a ridge solution.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.settings import FoldSettings
from penchant.domain.updaters import ridge
from penchant.domain.updaters.observations import Attribution, Observations

TOLERANCE = 1e-7
"""The iteration ends when no x_t.m moves by more."""

MOST_STEPS = 100


def solve(observations: Observations, settings: FoldSettings) -> Float64:
    """See `Updater.solve`. Cost: that of ridge per step, for about 5 steps."""
    return np.stack([_settle(one)[0] for one in observations.each()])


def attribute(observations: Observations, settings: FoldSettings) -> Attribution:
    """See `Updater.attribute`: ridge's attribution with the curvatures of the last step."""
    return ridge.attribute_with(observations, _settle(observations)[1])


def _settle(observations: Observations) -> tuple[Float64, Float64]:
    """The mean, and the curvatures w_t h_t of the last step, shapes (d,) and (n,)."""
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
    """tanh(s) / s, and 1 at s = 0."""
    return np.divide(np.tanh(logits), logits, out=np.ones_like(logits), where=logits != 0)
