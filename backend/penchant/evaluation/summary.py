"""Replay results summarised per recommender: quality overall and by slices, exposure, time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.evaluation import metrics
from penchant.evaluation.attribute_calibration import attribute_shares, miscalibration
from penchant.evaluation.metrics import MeanInterval
from penchant.evaluation.replay import ReplayResult
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class CountRange:
    """A range of counts, both ends included.

    >>> str(CountRange(0, 0)), str(CountRange(1, 5)), str(CountRange(101, None))
    ('0', '1–5', '101+')
    """

    first: int
    last: int | None
    """None: no upper end."""

    def __str__(self) -> str:
        if self.last is None:
            return f"{self.first}+"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    def holds(self, counts: Int64) -> Mask:
        """Mask of the counts in the range, same shape."""
        inside: Mask = counts >= self.first
        return inside if self.last is None else inside & (counts <= self.last)


BY_EARLIER = (
    CountRange(0, 0),
    CountRange(1, 5),
    CountRange(6, 20),
    CountRange(21, 100),
    CountRange(101, None),
)
"""Ranges of the number of the user's earlier events."""

BY_ITEM_AGE = (CountRange(0, 4), CountRange(5, 50), CountRange(51, None))
"""Ranges of the number of earlier events about the item; the first range holds new items."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Quality over some of the targets."""

    label: str
    rankings: int
    users: int
    quality: dict[str, MeanInterval]
    """By metric: `recall@10`, `NDCG@10`, `MRR`, ..."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of a kind of call, in milliseconds; NaN without calls."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one recommender."""

    name: str
    overall: Slice
    by_earlier: list[Slice]
    by_item_age: list[Slice]
    behind_first: dict[str, MeanInterval]
    """First recommender minus this one, by metric, on the same resampled users."""
    coverage: float
    """Share of the items that appeared in a top ten."""
    novelty_bits: float
    """Mean surprise of the items in top tens, in bits."""
    gini: float
    """Gini coefficient of the items' appearances in top tens."""
    miscalibration_bits: float
    """Divergence of the top tens' mix of an attribute from the user's; NaN without an attribute."""
    ranking: Latency
    update: Latency
    fits: list[tuple[int, float]]
    """Position in the stream and seconds of each fit."""


def metric_names(ks: Sequence[int]) -> list[str]:
    """Names of the metrics for these cut-offs.

    >>> metric_names([10])
    ['recall@10', 'NDCG@10', 'MRR']
    """
    return [*(f"recall@{k}" for k in ks), *(f"NDCG@{k}" for k in ks), "MRR"]


def ranking_values(rank: Float64, ks: Sequence[int]) -> Float64:
    """Each metric of n rankings, shape (n, metrics), in the order of `metric_names`."""
    recalls = [metrics.recall(rank, k) for k in ks]
    gains = [metrics.ndcg(rank, k) for k in ks]
    return np.stack([*recalls, *gains, metrics.reciprocal_rank(rank)], axis=1)


def summarise(
    stream: Stream,
    targets: EvaluationTargets,
    results: Sequence[ReplayResult],
    ks: Sequence[int],
    seed: int,
    attribute: str = "",
) -> list[Summary]:
    """One summary per recommender, in the order given.

    Args:
        stream: the events.
        targets: events that were ranked for.
        results: results of one recommender or more for these targets.
        ks: cut-offs of recall and NDCG.
        seed: seed of the confidence intervals.
        attribute: attribute of items to measure calibration by; empty: none.

    Raises:
        ConfigError: no item has the attribute.
    """
    shares = attribute_shares(stream.items, attribute) if attribute else None
    user = stream.user[targets.positions]
    values = [ranking_values(one.rank, ks) for one in results]
    names = metric_names(ks)
    summaries = []
    for one, own in zip(results, values, strict=True):
        everything = np.ones(len(own), np.bool_)
        gap = metrics.estimates(values[0] - own, user, seed)
        exposed = metrics.exposure(one.top, len(stream.items))
        by_earlier = [(str(counts), counts.holds(targets.earlier)) for counts in BY_EARLIER]
        by_age = [(str(counts), counts.holds(targets.item_age)) for counts in BY_ITEM_AGE]
        summaries.append(
            Summary(
                name=one.name,
                overall=_slice("all", everything, own, user, names, seed),
                by_earlier=[_slice(*part, own, user, names, seed) for part in by_earlier],
                by_item_age=[_slice(*part, own, user, names, seed) for part in by_age],
                behind_first=dict(zip(names, gap, strict=True)),
                coverage=metrics.coverage(exposed),
                novelty_bits=metrics.novelty(
                    one.top, targets.positions, stream.item, len(stream.items)
                ),
                gini=metrics.gini(exposed),
                miscalibration_bits=(
                    math.nan if shares is None else miscalibration(stream, targets, one.top, shares)
                ),
                ranking=_latency(one.rank_s),
                update=_latency(one.learn_s),
                fits=one.fit_s,
            )
        )
    return summaries


def _slice(
    label: str,
    inside: Mask,
    values: Float64,
    user: Int64,
    names: Sequence[str],
    seed: int,
) -> Slice:
    quality = metrics.estimates(values[inside], user[inside], seed)
    return Slice(
        label=label,
        rankings=int(inside.sum()),
        users=len(np.unique(user[inside])),
        quality=dict(zip(names, quality, strict=True)),
    )


def _latency(seconds: Float64) -> Latency:
    if len(seconds) == 0:
        return Latency(float("nan"), float("nan"))
    p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1e3
    return Latency(float(p50), float(p99))
