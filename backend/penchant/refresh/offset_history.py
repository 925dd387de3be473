"""The live offsets before each of a log's events, as a server would have had them then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64, Mask
from penchant.domain.offsets import decay, log_odds
from penchant.domain.recent_counts import RecentCounts, faded, gained
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.tally import Tally
from penchant.domain.types import Vector
from penchant.logs.interactions import Interactions

FADED = 12.0
"""Half-lives after which an event no longer counts for the live offsets."""

KEPT = 300
"""Positions, at most, whose live offsets are kept for the next time that they are asked for."""


class OffsetHistory:
    """The offsets of a log's items, with the half-life of their counters and shorter ones."""

    def __init__(
        self,
        events: Interactions,
        firsts: Mask,
        items: int,
        cut: int,
        half_lives_s: Sequence[float],
        prior_impressions: float,
    ) -> None:
        """Counts the events.

        Args:
            events: the log in time order.
            firsts: `Interactions.firsts` of it, shape (n,).
            items: number of items.
            cut: position of the first event before which offsets are asked for.
            half_lives_s: of the counters, and then shorter ones, in seconds.
            prior_impressions: impressions that every item is credited with.
        """
        self.half_lives_s = tuple(half_lives_s)
        self._events = events
        self._items = items
        self._prior_impressions = prior_impressions
        counters_s = half_lives_s[0]
        self._counted, after = _counters_after(events, firsts, cut, counters_s)
        item, at_us = events.item[self._counted], events.at_us[self._counted]
        more = _gains(item, after, at_us, counters_s)
        self._after = [after, *(_sums(item, more, at_us, one) for one in half_lives_s[1:])]
        self._kept: dict[tuple[bytes, int], Float32] = {}

    def before(self, positions: Int64, variant: int = 0) -> Iterator[Vector]:
        """The offsets before each of the positions, in time order, shape (items,) each.

        Args:
            positions: of events.
            variant: place in `half_lives_s`.
        """
        if len(positions) > KEPT:
            return self._each(positions, variant)
        key = positions.tobytes(), variant
        if key not in self._kept:
            self._kept[key] = np.array(list(self._each(positions, variant)))
        return iter(self._kept[key])

    def _each(self, positions: Int64, variant: int) -> Iterator[Vector]:
        at_us, half_life_s = self._events.at_us, self.half_lives_s[variant]
        counted, after = self._counted, self._after[variant]
        item = self._events.item[counted]
        positives, as_of_us = np.zeros(self._items), np.zeros(self._items)
        nothing, done = np.zeros(self._items), 0
        for position in positions.tolist():
            until = int(np.searchsorted(counted, position))
            positives[item[done:until]] = after[done:until]
            as_of_us[item[done:until]] = at_us[counted[done:until]]
            done = until
            left = faded(at_us[max(0, position - 1)] - as_of_us, half_life_s)
            yield log_odds(positives * left, nothing, self._prior_impressions)


def recent_counts_of(
    events: Interactions, items: int, counters_half_life_s: float, half_life_s: float
) -> RecentCounts:
    """What a log's items have earned lately, as of its end.

    Args:
        events: the log in time order.
        items: number of items.
        counters_half_life_s: of the counters, in seconds.
        half_life_s: the shorter one, in seconds.

    Cost: about a microsecond an event of the last twelve half-lives of the counters.
    """
    end_us = int(events.at_us.max(initial=0))
    counted, after = _counters_after(
        events, events.firsts, len(events.item) - 1, counters_half_life_s
    )
    item, at_us = events.item[counted], events.at_us[counted]
    more = _gains(item, after, at_us, counters_half_life_s)
    sums = []
    for values, one_s in (
        (_sums(item, more, at_us, half_life_s), half_life_s),
        (after, counters_half_life_s),
    ):
        latest, as_of_us = np.zeros(items), np.zeros(items)
        latest[item], as_of_us[item] = values, at_us
        sums.append((latest * faded(end_us - as_of_us, one_s)).astype(np.float32))
    return RecentCounts(half_life_s, end_us, *sums)


def _counters_after(
    events: Interactions, firsts: Mask, cut: int, half_life_s: float
) -> tuple[Int64, Float64]:
    """The positions of events that change an item's counters, and its positives after each."""
    liked = events.reward > 0
    earliest_us = int(events.at_us[cut] - FADED * half_life_s * 1e6) if len(liked) else 0
    first = int(np.searchsorted(events.at_us, earliest_us))
    # A first event without a reward adds nothing.
    counted = first + np.flatnonzero(liked[first:] | ~firsts[first:])
    weights = np.ones(len(events.item)) if events.weight is None else events.weight
    if firsts[counted].all():
        reward = np.maximum(0.0, events.reward[counted].astype(np.float64)) * weights[counted]
        item, at_us = events.item[counted], events.at_us[counted]
        return counted, _sums(item, reward, at_us, half_life_s)
    tally = Tally(half_life_s)
    rows = zip(
        events.user[counted].tolist(),
        events.item[counted].tolist(),
        events.reward[counted].tolist(),
        weights[counted].tolist(),
        events.at_us[counted].tolist(),
        strict=True,
    )
    after = [
        tally.count(user, item, ResolvedSignal(reward, weight, None), at_us).positives
        for user, item, reward, weight, at_us in rows
    ]
    return counted, np.array(after, np.float64)


def _gains(item: Int64, after: Float64, at_us: Int64, half_life_s: float) -> Float64:
    """What an item's counters gained by each event, shape (n,)."""
    order = np.argsort(item, kind="stable")
    same = np.append(False, item[order][1:] == item[order][:-1])
    before, before_us = np.zeros(len(item)), np.zeros(len(item))
    before[order[1:]] = np.where(same[1:], after[order[:-1]], 0.0)
    before_us[order[1:]] = np.where(same[1:], at_us[order[:-1]], 0)
    return gained(before, after, at_us - before_us, half_life_s)


def _sums(item: Int64, more: Float64, at_us: Int64, half_life_s: float) -> Float64:
    """The faded sum of what an item gained, after each event, shape (n,)."""
    sums: dict[int, float] = {}
    newest: dict[int, int] = {}
    after = []
    for one, gain, now in zip(item.tolist(), more.tolist(), at_us.tolist(), strict=True):
        total = sums.get(one, 0.0) * decay(now - newest.get(one, 0), half_life_s) + gain
        sums[one], newest[one] = total, now
        after.append(total)
    return np.array(after, np.float64)
