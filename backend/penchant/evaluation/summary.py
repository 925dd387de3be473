"""From results to what is reported of each recommender."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.evaluation import metrics
from penchant.evaluation.attribute_calibration import attribute_shares, miscalibration
from penchant.evaluation.metrics import Estimate
from penchant.evaluation.replay import ReplayResult
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class Band:
    """A range of counts, both ends included.

    >>> str(Band(0, 0)), str(Band(1, 5)), str(Band(101, None))
    ('0', '1–5', '101+')
    """

    first: int
    last: int | None
    """None: no end."""

    def __str__(self) -> str:
        if self.last is None:
            return f"{self.first}+"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    def holds(self, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which counts are in it, same shape."""
        inside: NDArray[np.bool_] = counts >= self.first
        return inside if self.last is None else inside & (counts <= self.last)


BY_EARLIER = (Band(0, 0), Band(1, 5), Band(6, 20), Band(21, 100), Band(101, None))
"""Events that the user had before."""

BY_ITEM_AGE = (Band(0, 4), Band(5, 50), Band(51, None))
"""Events that the item had before; the first is new items."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Quality over some of the targets."""

    label: str
    rankings: int
    users: int
    quality: dict[str, Estimate]
    """By metric: `recall@10`, `NDCG@10`, `MRR`, ..."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Of many calls, in milliseconds; NaN where there were none."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Summary:
    """All that is said of one recommender."""

    name: str
    overall: Slice
    by_earlier: list[Slice]
    by_item_age: list[Slice]
    behind_first: dict[str, Estimate]
    """By metric, the first recommender minus this one, on the same resampled users."""
    coverage: float
    """Share of the items that were in a top ten."""
    novelty_bits: float
    gini: float
    """Of the items' places in top tens."""
    miscalibration_bits: float
    """How far the top tens' mix of an attribute is from the user's; NaN without an attribute."""
    ranking: Latency
    update: Latency
    fits: list[tuple[int, float]]
    """Position in the stream and seconds."""


def metric_names(ks: Sequence[int]) -> list[str]:
    """The metrics that are computed for these cut-offs.

    >>> metric_names([10])
    ['recall@10', 'NDCG@10', 'MRR']
    """
    return [*(f"recall@{k}" for k in ks), *(f"NDCG@{k}" for k in ks), "MRR"]


def case_values(rank: NDArray[np.float64], ks: Sequence[int]) -> NDArray[np.float64]:
    """Each metric of each case, shape (n, metrics), in the order of `metric_names`."""
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
    """One summary a recommender, in the order given.

    Args:
        stream: the events.
        targets: those that were ranked for.
        results: of each recommender over these targets, one at least.
        ks: cut-offs of recall and NDCG.
        seed: of the confidence intervals.
        attribute: of the items, for the calibration; empty: none.

    Raises:
        ConfigError: no item has the attribute.
    """
    shares = attribute_shares(stream.items, attribute) if attribute else None
    user = stream.user[targets.positions]
    values = [case_values(one.rank, ks) for one in results]
    names = metric_names(ks)
    summaries = []
    for one, own in zip(results, values, strict=True):
        everything = np.ones(len(own), np.bool_)
        gap = metrics.estimates(values[0] - own, user, seed)
        exposed = metrics.exposure(one.top, len(stream.items))
        by_earlier = [(str(band), band.holds(targets.earlier)) for band in BY_EARLIER]
        by_age = [(str(band), band.holds(targets.item_age)) for band in BY_ITEM_AGE]
        summaries.append(
            Summary(
                name=one.name,
                overall=_slice("all", everything, own, user, names, seed),
                by_earlier=[_slice(*band, own, user, names, seed) for band in by_earlier],
                by_item_age=[_slice(*band, own, user, names, seed) for band in by_age],
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
    inside: NDArray[np.bool_],
    values: NDArray[np.float64],
    user: NDArray[np.int64],
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


def _latency(seconds: NDArray[np.float64]) -> Latency:
    if len(seconds) == 0:
        return Latency(float("nan"), float("nan"))
    p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1e3
    return Latency(float(p50), float(p99))
