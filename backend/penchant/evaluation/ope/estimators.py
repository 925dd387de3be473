"""The estimators. Each gives one term per row; the sums of the terms give value and variance.

Notation: n impressions; r_t the reward; a_t the action shown; p_t > 0 the probability of a_t under
the logging policy; pi(a|x_t) the probability under the candidate; w_t = pi(a_t|x_t) / p_t the
weight; q(x, a) a model of the mean reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64


@dataclass(frozen=True, slots=True)
class RatioTerms:
    """A value as a ratio of two sums over impressions."""

    numerator: Float64
    """Numerators in units of the reward, shape (n,)."""
    denominator: Float64
    """Denominators, shape (n,); all ones for a plain mean."""

    @property
    def value(self) -> float:
        """The estimate; NaN if the denominators sum to 0."""
        below = float(self.denominator.sum())
        return float(self.numerator.sum()) / below if below else float("nan")


def weights(candidate: Float64, propensity: Float64, clip: float | None = None) -> Float64:
    """Computes the importance weights w_t = pi(a_t|x_t) / p_t, at most `clip`.

    Args:
        candidate: the candidate's probabilities of the actions shown, in [0, 1], shape (n,).
        propensity: the logging policy's, in (0, 1], shape (n,).
        clip: largest weight allowed; None: no limit. A limit trades variance for bias.

    >>> weights(np.array([0.5, 1.0]), np.array([0.25, 0.1]), clip=5.0).tolist()
    [2.0, 5.0]
    """
    ratio = candidate / propensity
    return ratio if clip is None else np.minimum(ratio, clip)


def ips(reward: Float64, weight: Float64) -> RatioTerms:
    """Inverse propensity scoring: V = (1/n) sum_t w_t r_t.

    D. G. Horvitz and D. J. Thompson, "A Generalization of Sampling Without Replacement from a
    Finite Universe", JASA 47 (1952).

    >>> ips(np.array([1.0, 0.0]), np.array([2.0, 1.0])).value
    1.0
    """
    return RatioTerms(weight * reward, np.ones_like(reward))


def snips(reward: Float64, weight: Float64) -> RatioTerms:
    """Self-normalised IPS: V = sum_t w_t r_t / sum_t w_t, never outside the rewards' range.

    A. Swaminathan and T. Joachims, "The Self-Normalized Estimator for Counterfactual Learning",
    NIPS 2015, equation 11.

    >>> snips(np.array([1.0, 0.0]), np.array([3.0, 1.0])).value
    0.75
    """
    return RatioTerms(weight * reward, weight)


def dm(candidate_all: Float64, q: Float64) -> RatioTerms:
    """The direct method: V = (1/n) sum_t sum_a pi(a|x_t) q(x_t, a); as biased as its model.

    M. Dudik, J. Langford and L. Li, "Doubly Robust Policy Evaluation and Learning", ICML 2011.

    Args:
        candidate_all: probabilities pi(a|x_t), shape (n, actions); each row sums to 1.
        q: modelled rewards q(x_t, a), shape (n, actions).

    >>> dm(np.array([[0.5, 0.5]]), np.array([[0.2, 0.4]])).value
    0.30000000000000004
    """
    by_row = np.einsum("ta,ta->t", candidate_all, q)
    return RatioTerms(by_row, np.ones_like(by_row))


def dr(
    reward: Float64, weight: Float64, action: Int64, candidate_all: Float64, q: Float64
) -> RatioTerms:
    """Doubly robust: V = DM + (1/n) sum_t w_t (r_t - q(x_t, a_t)).

    Unbiased if the propensities are right, or the model is. M. Dudik, D. Erhan, J. Langford and
    L. Li, "Doubly Robust Policy Evaluation and Optimization", Statistical Science 29 (2014).

    Args:
        reward: rewards r_t, shape (n,).
        weight: weights w_t, shape (n,).
        action: column of the action shown, shape (n,).
        candidate_all: probabilities pi(a|x_t), shape (n, actions).
        q: modelled rewards q(x_t, a), shape (n, actions), from a model that did not see the row.
    """
    direct = dm(candidate_all, q)
    residual = reward - q[np.arange(len(reward)), action]
    return RatioTerms(direct.numerator + weight * residual, direct.denominator)


def switch_dr(
    reward: Float64, weight: Float64, action: Int64, candidate_all: Float64, q: Float64, tau: float
) -> RatioTerms:
    """Switch-DR: doubly robust where w_t <= tau, and the model alone where the weight is larger.

    Y.-X. Wang, A. Agarwal and M. Dudik, "Optimal and Adaptive Off-policy Evaluation in Contextual
    Bandits", ICML 2017, section 4. `tau` = 0 gives DM, infinity gives DR. The other arguments are
    those of `dr`.
    """
    return dr(reward, np.where(weight <= tau, weight, 0.0), action, candidate_all, q)
