"""Confidence intervals of an estimate, by clusters of rows that depend on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from penchant.domain.arrays import Int64
from penchant.evaluation.ope.estimators import Terms


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, in units of the reward."""

    value: float
    low: float
    high: float
    standard_error: float


def interval(terms: Terms, cluster: Int64, level: float = 0.95) -> Estimate:
    """The estimate with its interval: linearised variance over clusters, Student's t.

    With residuals e_t = numerator_t - V denominator_t summed by cluster to E_g, the variance of the
    ratio is G/(G-1) sum_g E_g^2 / (sum_t denominator_t)^2 (W. G. Cochran, "Sampling Techniques",
    1977, chapter 6; clusters as in K.-Y. Liang and S. L. Zeger, Biometrika 73, 1986). Nothing is
    drawn: the order of the rows and a seed change nothing. Cost: O(n).

    Args:
        terms: Of one estimator.
        cluster: The user of each row, or the row's own number; from 0, shape (n,).
        level: In (0, 1).

    Returns:
        An interval of nan where there are fewer than two clusters or no weight at all.
    """
    value = terms.value
    sums = np.bincount(cluster, weights=terms.numerator - value * terms.denominator)
    clusters = int(np.count_nonzero(np.bincount(cluster)))
    if clusters < 2 or math.isnan(value):
        return Estimate(value, math.nan, math.nan, math.nan)
    below = float(terms.denominator.sum())
    error = math.sqrt(clusters / (clusters - 1) * float(sums @ sums)) / abs(below)
    reach = float(stats.t.ppf(0.5 + level / 2, clusters - 1)) * error
    return Estimate(value, value - reach, value + reach, error)
