"""Confidence intervals of a policy's value, over clusters of dependent rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from penchant.domain.arrays import Int64
from penchant.evaluation.ope.estimators import RatioTerms


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """A policy's value with its interval, in units of the reward."""

    value: float
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    standard_error: float


def interval(terms: RatioTerms, cluster: Int64, level: float = 0.95) -> PolicyValue:
    """Computes a value and its interval from the linearised variance over clusters, by Student's t.

    With residuals e_t = numerator_t - V denominator_t summed by cluster to E_g, the variance of the
    ratio is G/(G-1) sum_g E_g^2 / (sum_t denominator_t)^2 (W. G. Cochran, "Sampling Techniques",
    1977, chapter 6; clusters as in K.-Y. Liang and S. L. Zeger, Biometrika 73, 1986). The result
    draws no random numbers and does not depend on the order of the rows. Cost: O(n).

    Args:
        terms: terms of one estimator.
        cluster: number of each row's user, or of the row itself, from 0, shape (n,).
        level: confidence level, between 0 and 1.

    Returns:
        The value with its interval; NaN for the interval if there are fewer than two clusters or
        all weights are 0.
    """
    value = terms.value
    sums = np.bincount(cluster, weights=terms.numerator - value * terms.denominator)
    clusters = int(np.count_nonzero(np.bincount(cluster)))
    if clusters < 2 or math.isnan(value):
        return PolicyValue(value, math.nan, math.nan, math.nan)
    below = float(terms.denominator.sum())
    error = math.sqrt(clusters / (clusters - 1) * float(sums @ sums)) / abs(below)
    reach = float(stats.t.ppf(0.5 + level / 2, clusters - 1)) * error
    return PolicyValue(value, value - reach, value + reach, error)
