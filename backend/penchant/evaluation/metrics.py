"""Metrics of rankings: accuracy with confidence intervals, and the exposure of items.

A ranking has one relevant item, at rank r from 1. Ties share their mean rank, so r may be 2.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int32, Int64

RESAMPLES = 1000


def recall(rank: Float64, k: int) -> Float64:
    """1 if the item is among the first k, else 0, shape (n,).

    With one relevant item per ranking this is the hit rate too.

    >>> recall(np.array([1.0, 2.5, 3.0]), 2).tolist()
    [1.0, 0.0, 0.0]
    """
    return (rank <= k).astype(np.float64)


def ndcg(rank: Float64, k: int) -> Float64:
    """1 / log2(1 + r) if r is at most k, else 0, shape (n,).

    K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, with
    one relevant item, for which the ideal gain is 1.

    >>> ndcg(np.array([1.0, 3.0, 4.0]), 3).tolist()
    [1.0, 0.5, 0.0]
    """
    gain: Float64 = np.where(rank <= k, 1 / np.log2(1 + rank), 0.0)
    return gain


def reciprocal_rank(rank: Float64) -> Float64:
    """1 / r, shape (n,); its mean is the MRR.

    >>> reciprocal_rank(np.array([1.0, 4.0])).tolist()
    [1.0, 0.25]
    """
    return 1 / rank


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


def bootstrap(values: Float64, user: Int64, seed: int, resamples: int = RESAMPLES) -> Float64:
    """Bootstrap means over resampled users, drawn with replacement.

    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993; users are resampled,
    not rankings, because the rankings for one user are not independent.

    Args:
        values: m quantities of n rankings, shape (n, m), n at least 1.
        user: user of each ranking, shape (n,).
        seed: equal seeds and users give equal draws, so that quantities can be compared in pairs.
        resamples: number of resamples.

    Returns:
        Means, shape (resamples, m). Cost: O(n m + resamples (users m)).
    """
    _, group = np.unique(user, return_inverse=True)
    users = int(group.max()) + 1
    counts = np.bincount(group, minlength=users).astype(np.float64)
    sums = np.stack([np.bincount(group, column, users) for column in values.T], axis=1)
    random = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    for row in range(resamples):
        drawn = np.bincount(random.integers(0, users, users), minlength=users)
        means[row] = (drawn @ sums) / (drawn @ counts)
    return means


def estimates(values: Float64, user: Int64, seed: int) -> list[MeanInterval]:
    """Means of m quantities of n rankings, shape (n, m), with intervals from `bootstrap`.

    >>> estimates(np.array([[1.0], [0.0]]), np.array([7, 7]), seed=1)
    [MeanInterval(mean=0.5, low=0.5, high=0.5)]
    """
    if len(values) == 0:
        return [MeanInterval(math.nan, math.nan, math.nan)] * values.shape[1]
    low, high = np.quantile(bootstrap(values, user, seed), (0.025, 0.975), axis=0)
    columns = zip(values.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True)
    return [MeanInterval(*column) for column in columns]


def exposure(top: Int32, items: int) -> Int64:
    """Number of times each item was shown, shape (items,).

    Args:
        top: items shown in each ranking, padded with -1, shape (n, k).
        items: number of items.
    """
    return np.bincount(top[top >= 0], minlength=items)


def coverage(exposed: Int64) -> float:
    """Share of the items that were shown at least once.

    >>> coverage(np.array([3, 0, 1, 0]))
    0.5
    """
    return float(np.mean(exposed > 0))


def gini(exposed: Int64) -> float:
    """Gini coefficient of exposure: 0 for equal exposure, near 1 if one item has it all.

    C. Gini, 1912: half the relative mean difference.

    >>> gini(np.array([2, 2, 2, 2])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    ordered = np.sort(exposed)
    count, total = len(ordered), int(ordered.sum())
    if total == 0:
        return 0.0
    weights = 2 * np.arange(1, count + 1) - count - 1
    return float(weights @ ordered / (count * total))


def novelty(top: Int32, position: Int64, item: Int64, items: int) -> float:
    """Mean surprise of the items shown: -log2 of an item's share of the earlier events.

    S. Vargas and P. Castells, "Rank and relevance in novelty and diversity metrics for recommender
    systems", 2011; one event is added to each item's count, so that new items have a share.

    Args:
        top: items shown in each ranking, padded with -1, shape (n, k).
        position: position of each ranking in the stream, ascending, shape (n,).
        item: item of each event of the stream, shape (events,).
        items: number of items.

    Returns:
        Bits; NaN if nothing was shown.

    >>> shown = np.array([[0], [1]], np.int32)
    >>> novelty(shown, position=np.array([0, 2]), item=np.array([0, 0, 1]), items=2)
    1.5
    """
    counts = np.ones(items)
    total, done, bits, shown = float(items), 0, 0.0, 0
    for row, until in zip(top, position.tolist(), strict=True):
        for number in item[done:until].tolist():
            counts[number] += 1
        total, done = total + until - done, until
        best = row[row >= 0]
        bits -= float(np.log2(counts[best] / total).sum())
        shown += len(best)
    return bits / shown if shown else math.nan
