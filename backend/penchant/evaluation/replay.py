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
from penchant.evaluation.recommender import Contender
from penchant.evaluation.targets import Cases, Plan
from penchant.logs.stream import Stream

TOP = 10
"""How many of the best are kept of each ranking."""


@dataclass(slots=True)
class Trials:
    """What one contender made of n cases and m later events."""

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
    contender: Contender,
    cases: Cases,
    plan: Plan,
    on_event: Callable[[int], None] = lambda position: None,
) -> Trials:
    """One pass of a contender over the stream.

    Args:
        stream: the events.
        contender: trained on the first part, then asked and told in turn.
        cases: the events to rank for.
        plan: the same as the cases were chosen by.
        on_event: told each position that is done, and the one before the first when it begins.

    Raises:
        ConfigError: the contender gave scores that are not numbers, or not one per item.
    """
    start, refits = plan.start(stream), set(plan.refits(stream))
    trials = _empty(contender.name, len(cases.positions), len(stream.events) - start)
    seen = _seen_before(stream, start)
    places = dict(zip(cases.positions.tolist(), range(len(cases.positions)), strict=True))
    on_event(start - 1)
    _fit(contender, stream, start, trials)
    for position in range(start, len(stream.events)):
        if position in refits:
            _fit(contender, stream, position, trials)
        user, item = int(stream.user[position]), int(stream.item[position])
        place = places.get(position)
        if place is not None:
            began = time.perf_counter()
            scores = contender.scores(
                user, int(stream.at_us[position]), stream.events[position].context
            )
            trials.rank_s[place] = time.perf_counter() - began
            _require_scores(contender, scores, len(stream.items))
            hidden = _rows(seen[user] if plan.candidates == "unseen" else ())
            trials.rank[place] = mean_rank(scores, item, hidden)
            best = _best(scores, hidden)
            trials.top[place, : len(best)] = best
        began = time.perf_counter()
        contender.learn(position)
        trials.learn_s[position - start] = time.perf_counter() - began
        seen[user].add(item)
        on_event(position)
    return trials


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


def _fit(contender: Contender, stream: Stream, until: int, trials: Trials) -> None:
    began = time.perf_counter()
    contender.fit(stream, until)
    trials.fit_s.append((until, time.perf_counter() - began))


def _seen_before(stream: Stream, start: int) -> defaultdict[int, set[int]]:
    seen: defaultdict[int, set[int]] = defaultdict(set)
    pairs = zip(stream.user[:start].tolist(), stream.item[:start].tolist(), strict=True)
    for user, item in pairs:
        seen[user].add(item)
    return seen


def _rows(items: Iterable[int]) -> Rows:
    return np.fromiter(items, np.int64)


def _empty(name: str, cases: int, events: int) -> Trials:
    return Trials(
        name=name,
        rank=np.zeros(cases),
        top=np.full((cases, TOP), -1, np.int32),
        rank_s=np.zeros(cases),
        learn_s=np.zeros(events),
    )


def _require_scores(contender: Contender, scores: Vector, items: int) -> None:
    if scores.shape != (items,):
        raise ConfigError(f"{contender.name}: got scores of shape {scores.shape}, expected {items}")
    if np.isnan(scores).any():
        raise ConfigError(f"{contender.name}: got a score that is not a number")
