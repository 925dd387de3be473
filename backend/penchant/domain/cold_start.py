"""What a new item may expect: the likes that its text predicts, credited when it is put.

    log(1 + p_i) ~ v.(t_i, 1)             ridge regression over the items that were ever liked
    1 + credit   = s exp(v.(t, 1)),       s = mean of exp(log(1 + p_i) - v.(t_i, 1))

s makes it the mean of what is expected, not the median (N. Duan, "Smearing estimate: a
nonparametric retransformation method", 1983, equation 2.2).
p_i is an item's decayed sum of positive rewards (`penchant.domain.offsets`), t_i its text's vector.
Without a credit an item that nobody could like yet would start as far behind as one that everybody
has passed over. The credit is counted like likes of that moment: it fades as they do, and what the
item's own users say soon outweighs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.types import Counters, Matrix

RIDGE = 3.0
"""Chosen on the first 30 % of MovieLens-100K, with a fifth of the films held out."""


@dataclass(frozen=True, slots=True)
class ColdStartPrior:
    """What texts say of likes, as of one moment."""

    weights: Float64
    """v, log s added to its last, shape (d + 1,); zeros where nothing is known."""
    as_of_us: int = 0
    """The moment that the p_i were decayed to."""


def flat_cold_start_prior(dimensions: int) -> ColdStartPrior:
    """Nobody knows: no new item is credited with anything."""
    return ColdStartPrior(np.zeros(dimensions + 1))


def fit_cold_start_prior(texts: Matrix, positives: Float64, as_of_us: int) -> ColdStartPrior:
    """The regression of the module's equation.

    Args:
        texts: the texts' vectors, shape (n, d).
        positives: p_i at `as_of_us`, shape (n,); only those above 0 are learnt from.
        as_of_us: microseconds since 1970.

    Cost: O(n d^2).
    """
    liked = positives > 0
    if not liked.any():
        return flat_cold_start_prior(texts.shape[1])
    inputs = _with_one(texts[liked])
    penalty = np.full(inputs.shape[1], RIDGE)
    penalty[-1] = 1e-9  # The mean is not drawn to 0.
    normal = inputs.T @ inputs + np.diag(penalty)
    logs = np.log1p(positives[liked])
    weights = np.linalg.solve(normal, inputs.T @ logs)
    weights[-1] += np.log(np.exp(logs - inputs @ weights).mean())
    return ColdStartPrior(weights, as_of_us)


def prior_counters(cold_start_prior: ColdStartPrior, texts: Matrix) -> list[Counters]:
    """The counters that new items with these texts start with, n of them.

    >>> half = ColdStartPrior(np.array([np.log(3), 0.0]), as_of_us=5)
    >>> prior_counters(half, np.array([[1.0], [-1.0]], np.float32))[0].positives.__round__(6)
    2.0
    """
    likes = np.expm1(np.clip(_with_one(texts) @ cold_start_prior.weights, 0.0, 50.0))
    return [Counters(positives, 0.0, cold_start_prior.as_of_us) for positives in likes.tolist()]


def _with_one(texts: Matrix) -> Float64:
    return np.column_stack([texts.astype(np.float64), np.ones(len(texts))])
