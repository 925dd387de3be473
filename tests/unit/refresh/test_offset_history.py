"""Offsets of half-lives shorter than the counters': those that a server shows rankings."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.recent_counts import RecentCounts
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.tally import Tally
from penchant.logs.interactions import Interactions
from penchant.refresh.offset_history import OffsetHistory, recent_counts_of

ITEMS, EVENTS = 12, 300
COUNTERS_S, FASTER_S = 14 * 86400.0, 5 * 3600.0


def log_of(users: int) -> Interactions:
    """Likes and dislikes over some weeks; few users meet the same item again and again."""
    rng = np.random.default_rng(4)
    return Interactions(
        user=rng.integers(0, users, EVENTS),
        item=rng.integers(0, ITEMS, EVENTS),
        reward=rng.choice([-0.5, 1.0, 1.0], EVENTS).astype(np.float32),
        at_us=np.sort(rng.integers(0, 30 * 86_400_000_000, EVENTS)) + 1_600_000_000_000_000,
    )


def table_that_follows(events: Interactions, until: int, recent: RecentCounts) -> ItemBiasTable:
    """As a process of feedback holds it after the events before a position."""
    table, tally = ItemBiasTable(COUNTERS_S, 50.0), Tally(COUNTERS_S)
    for place in range(until):
        user, item, at_us = (int(of[place]) for of in (events.user, events.item, events.at_us))
        signal = ResolvedSignal(float(events.reward[place]), 1.0, None)
        table.set([(item, tally.count(user, item, signal, at_us))])
        if at_us <= recent.as_of_us:
            table.follow(RecentCounts())
        if at_us == recent.as_of_us:
            table.follow(recent)
    return table


@pytest.mark.parametrize("users", [10_000, 15])
def test_held_out_offsets_are_those_of_a_server_that_follows(users: int) -> None:
    events = log_of(users)
    cut = 200
    history = OffsetHistory(events, events.firsts, ITEMS, cut, (COUNTERS_S, FASTER_S), 50.0)
    positions = np.array([210, 250, 299])
    recent = recent_counts_of(events.taken(slice(0, cut)), ITEMS, COUNTERS_S, FASTER_S)
    for position, offsets in zip(positions.tolist(), history.before(positions, 1), strict=True):
        live = table_that_follows(events, position, recent).values(ITEMS)
        np.testing.assert_allclose(offsets, live, rtol=1e-4, atol=1e-5)


def test_recent_counts_hold_the_counters_that_they_were_made_of() -> None:
    events = log_of(15)
    recent = recent_counts_of(events, ITEMS, COUNTERS_S, FASTER_S)
    table, tally = ItemBiasTable(COUNTERS_S, 50.0), Tally(COUNTERS_S)
    for place in range(EVENTS):
        user, item, at_us = (int(of[place]) for of in (events.user, events.item, events.at_us))
        tally.count(user, item, ResolvedSignal(float(events.reward[place]), 1.0, None), at_us)
    table.set(tally.counters.items())
    np.testing.assert_allclose(table.positives(ITEMS)[0], recent.counted, rtol=1e-5)
    assert recent.as_of_us == events.at_us[-1]
    assert (recent.recent <= recent.counted * 1.00001).all()


def test_a_log_without_events_has_nothing_recent() -> None:
    nothing = np.empty(0, np.int64)
    events = Interactions(nothing, nothing, nothing.astype(np.float32), nothing)
    assert not recent_counts_of(events, 3, COUNTERS_S, FASTER_S).recent.any()
