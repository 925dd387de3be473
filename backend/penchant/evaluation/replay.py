"""The prequential loop: rank before each event, learn after it, strictly in time order.

A. P. Dawid, "Present position and potential developments: some personal views: statistical theory:
the prequential approach", 1984; for recommenders, J. Vinagre, A. M. Jorge and J. Gama, "Evaluation
of recommender systems in streaming environments", 2014.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.search import top_k
from penchant.domain.errors import ConfigError
from penchant.domain.types import Rows, Vector
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream

TOP = 10
"""How many of the best are kept of each ranking."""


@dataclass(slots=True)
class ReplayResult:
    """What one recommender made of n targets and m later events."""

    name: str
    rank: NDArray[np.float64]
    """The place of each case's item from 1, ties at their mean, shape (n,)."""
    top: NDArray[np.int32]
    """The best items of each ranking, best first, -1 where there are fewer, shape (n, TOP)."""
    rank_s: NDArray[np.float64]
    """Seconds of each call of `scores`, shape (n,)."""
    learn_s: NDArray[np.float64]
    """Seconds of each call of `learn`, shape (m,)."""
    fit_s: list[tuple[int, float]] = field(default_factory=list)
    """Position and seconds of each call of `fit`."""
    finetuned_at: list[int] = field(default_factory=list)
    """Positions of the fits at which the encoder was fine-tuned too."""


def replay(
    stream: Stream,
    recommender: Recommender,
    targets: EvaluationTargets,
    plan: ReplayConfig,
    on_event: Callable[[int], None] = lambda position: None,
) -> ReplayResult:
    """One pass of a recommender over the stream.

    Args:
        stream: the events.
        recommender: trained on the first part, then asked and told in turn.
        targets: the events to rank for.
        plan: the same as the targets were chosen by.
        on_event: told each position that is done, and the one before the first when it begins.

    Raises:
        ConfigError: the recommender gave scores that are not numbers, or not one per item.
    """
    start, refits = plan.start(stream), set(plan.refits(stream))
    results = _empty(recommender.name, len(targets.positions), len(stream.events) - start)
    seen = _seen_before(stream, start)
    places = dict(zip(targets.positions.tolist(), range(len(targets.positions)), strict=True))
    on_event(start - 1)
    _fit(recommender, stream, start, results)
    for position in range(start, len(stream.events)):
        if position in refits:
            _fit(recommender, stream, position, results)
        user, item = int(stream.user[position]), int(stream.item[position])
        place = places.get(position)
        if place is not None:
            began = time.perf_counter()
            scores = recommender.scores(
                user, int(stream.at_us[position]), stream.events[position].context
            )
            results.rank_s[place] = time.perf_counter() - began
            _require_scores(recommender, scores, len(stream.items))
            hidden = _rows(seen[user] if plan.candidates == "unseen" else ())
            results.rank[place] = mean_rank(scores, item, hidden)
            best = _best(scores, hidden)
            results.top[place, : len(best)] = best
        began = time.perf_counter()
        recommender.learn(position)
        results.learn_s[position - start] = time.perf_counter() - began
        seen[user].add(item)
        on_event(position)
    return results


def mean_rank(scores: Vector, item: int, hidden: Rows) -> float:
    """The place of an item from 1; among equal scores the mean of their places.

    Args:
        scores: of all items, shape (n,).
        item: the one that is looked for; not in `hidden`.
        hidden: distinct items that are no candidates.

    >>> mean_rank(np.array([3.0, 1.0, 1.0, 2.0], np.float32), item=1, hidden=np.array([3]))
    2.5
    """
    own = scores[item]
    others = scores[hidden]
    better = np.count_nonzero(scores > own) - np.count_nonzero(others > own)
    equal = np.count_nonzero(scores == own) - np.count_nonzero(others == own)
    return float(1 + better + (equal - 1) / 2)


def _best(scores: Vector, hidden: Rows) -> Rows:
    shown = np.array(scores, np.float32)
    shown[hidden] = -np.inf
    return top_k(shown, min(TOP, len(shown)))


def _fit(recommender: Recommender, stream: Stream, until: int, results: ReplayResult) -> None:
    began = time.perf_counter()
    recommender.fit(stream, until)
    results.fit_s.append((until, time.perf_counter() - began))


def _seen_before(stream: Stream, start: int) -> defaultdict[int, set[int]]:
    seen: defaultdict[int, set[int]] = defaultdict(set)
    pairs = zip(stream.user[:start].tolist(), stream.item[:start].tolist(), strict=True)
    for user, item in pairs:
        seen[user].add(item)
    return seen


def _rows(items: Iterable[int]) -> Rows:
    return np.fromiter(items, np.int64)


def _empty(name: str, targets: int, events: int) -> ReplayResult:
    return ReplayResult(
        name=name,
        rank=np.zeros(targets),
        top=np.full((targets, TOP), -1, np.int32),
        rank_s=np.zeros(targets),
        learn_s=np.zeros(events),
    )


def _require_scores(recommender: Recommender, scores: Vector, items: int) -> None:
    if scores.shape != (items,):
        raise ConfigError(
            f"{recommender.name}: got scores of shape {scores.shape}, expected {items}"
        )
    if np.isnan(scores).any():
        raise ConfigError(f"{recommender.name}: got a score that is not a number")
