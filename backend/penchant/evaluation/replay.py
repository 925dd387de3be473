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

from penchant.catalog.search import top_k
from penchant.domain.arrays import Float64, Int32
from penchant.domain.errors import ConfigError
from penchant.domain.types import Rows, Vector
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream

TOP = 10
"""Number of best items kept from each ranking."""


@dataclass(slots=True)
class ReplayResult:
    """One recommender's results for n targets and m events after the training part."""

    name: str
    rank: Float64
    """Rank of each target's item from 1, ties at their mean, shape (n,)."""
    top: Int32
    """Best items of each ranking, best first, padded with -1, shape (n, TOP)."""
    rank_s: Float64
    """Seconds of each call of `scores`, shape (n,)."""
    learn_s: Float64
    """Seconds of each call of `learn`, shape (m,)."""
    fit_s: list[tuple[int, float]] = field(default_factory=list)
    """Position and seconds of each call of `fit`."""
    finetuned_at: list[int] = field(default_factory=list)
    """Positions of the fits that also fine-tuned the encoder."""


def replay(
    stream: Stream,
    recommender: Recommender,
    targets: EvaluationTargets,
    replay_config: ReplayConfig,
    on_event: Callable[[int], None] = lambda position: None,
    on_fit: Callable[[int], None] = lambda fits: None,
) -> ReplayResult:
    """Replays a stream for one recommender.

    Args:
        stream: the events.
        recommender: fitted on the training part, then asked to rank and to learn in turn.
        targets: events to rank for.
        replay_config: the one that the targets were chosen with.
        on_event: called with the last position before the replay starts, then with each position
            that is done.
        on_fit: called before each fit, and at the end, with the number of fits until then.

    Raises:
        ConfigError: the recommender returned NaN, or not one score per item.
    """
    start, refits = replay_config.start(stream), set(replay_config.refits(stream))
    result = _empty(recommender.name, len(targets.positions), len(stream.events) - start)
    seen = _seen_before(stream, start)
    rows = dict(zip(targets.positions.tolist(), range(len(targets.positions)), strict=True))
    on_event(start - 1)
    on_fit(0)
    _fit(recommender, stream, start, result)
    for position in range(start, len(stream.events)):
        if position in refits:
            on_fit(len(result.fit_s))
            _fit(recommender, stream, position, result)
        user, item = int(stream.user[position]), int(stream.item[position])
        row = rows.get(position)
        if row is not None:
            began = time.perf_counter()
            scores = recommender.scores(
                user, int(stream.at_us[position]), stream.events[position].context
            )
            result.rank_s[row] = time.perf_counter() - began
            _require_scores(recommender, scores, len(stream.items))
            hidden = _items(seen[user] if targets.candidates == "unseen" else ())
            result.rank[row] = mean_rank(scores, item, hidden)
            best = _best(scores, hidden)
            result.top[row, : len(best)] = best
        began = time.perf_counter()
        recommender.learn(position)
        result.learn_s[position - start] = time.perf_counter() - began
        seen[user].add(item)
        on_event(position)
    on_fit(len(result.fit_s))
    return result


def mean_rank(scores: Vector, item: int, hidden: Rows) -> float:
    """The rank of an item from 1; equal scores share their mean rank.

    Args:
        scores: scores of all items, shape (n,).
        item: the item to rank; not in `hidden`.
        hidden: distinct items that are not candidates.

    >>> mean_rank(np.array([3.0, 1.0, 1.0, 2.0], np.float32), item=1, hidden=np.array([3]))
    2.5
    """
    own = scores[item]
    others = scores[hidden]
    better = np.count_nonzero(scores > own) - np.count_nonzero(others > own)
    equal = np.count_nonzero(scores == own) - np.count_nonzero(others == own)
    return float(1 + better + (equal - 1) / 2)


def _best(scores: Vector, hidden: Rows) -> Rows:
    visible = np.array(scores, np.float32)
    visible[hidden] = -np.inf
    return top_k(visible, min(TOP, len(visible)))


def _fit(recommender: Recommender, stream: Stream, until: int, result: ReplayResult) -> None:
    began = time.perf_counter()
    recommender.fit(stream, until)
    result.fit_s.append((until, time.perf_counter() - began))


def _seen_before(stream: Stream, start: int) -> defaultdict[int, set[int]]:
    seen: defaultdict[int, set[int]] = defaultdict(set)
    pairs = zip(stream.user[:start].tolist(), stream.item[:start].tolist(), strict=True)
    for user, item in pairs:
        seen[user].add(item)
    return seen


def _items(numbers: Iterable[int]) -> Rows:
    return np.fromiter(numbers, np.int64)


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
