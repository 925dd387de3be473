"""Laws of popularity by segment: what tells is found, what doesn't changes nothing, no future."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.segments import SegmentPopularity
from penchant.logs.interactions import ContextValues, Interactions
from penchant.refresh.item_vectors import RefreshedCatalog, learn_catalog
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.refresh.segment_popularity import LEAST_USERS, find_segments
from tests.support.segment_logs import COUNTRIES, ITEMS, drawn, interactions_of_rows
from tests.support.signal_logs import unit_rows

CONFIG = Config("memory:", Path("encoder"))
SEEDS = range(2)


def learnt(events: Interactions) -> RefreshedCatalog:
    return learn_catalog(events, unit_rows(ITEMS), RefreshSettings(), CONFIG)


def strength(segments: SegmentPopularity, country: str) -> np.ndarray:  # type: ignore[type-arg]  # Of floats.
    (row,) = segments.rows_of((("country", country),))
    found = np.zeros(ITEMS)
    entries = segments.entries[row]
    found[entries["item"]] = entries["strength"]
    return found


def test_where_only_an_attribute_tells_it_is_found() -> None:
    fresh = learnt(interactions_of_rows(drawn()))
    assert fresh.learnt.segments_gain is not None
    before, after = fresh.learnt.segments_gain
    assert after > before + 0.05
    assert "same country" in fresh.learnt.sentence
    own = ITEMS // len(COUNTRIES)
    for place, country in enumerate(COUNTRIES):
        found = strength(fresh.segments, country)
        liked = found[place * own : place * own + 5]
        assert liked.min() > np.delete(found, slice(place * own, (place + 1) * own)).max()


def test_an_attribute_that_tells_nothing_changes_nothing() -> None:
    for seed in SEEDS:
        rows = drawn(seed=seed, tells=False)
        without = dataclasses.replace(interactions_of_rows(rows), context={})
        fresh, plain = learnt(interactions_of_rows(rows)), learnt(without)
        assert fresh.learnt == plain.learnt
        assert not fresh.segments
        np.testing.assert_array_equal(fresh.neighbours, plain.neighbours)


def test_beside_an_attribute_that_tells_one_that_does_not_has_no_part() -> None:
    events = interactions_of_rows(drawn())
    other = np.random.default_rng(5).integers(0, 3, len(events.item))
    device = ContextValues(other, ("phone", "desk", "tv"))
    both = dataclasses.replace(events, context={**events.context, "device": device})
    assert list(learnt(both).learnt.segments) == ["country"]


def test_a_segment_of_few_users_has_no_part_and_one_user_weighs_little() -> None:
    """Nobody can read one user's likes out of a segment, and no one user makes it."""
    rows = drawn(events=2)
    few = np.flatnonzero(rows[:, 1] < LEAST_USERS - 1)
    events = interactions_of_rows(rows)
    code = events.context["country"].code.copy()
    code[few] = len(COUNTRIES)
    marked = ContextValues(code, (*COUNTRIES, "sm"))
    small = dataclasses.replace(events, context={"country": marked})
    found = find_segments(small, small.reward.astype(np.float64), ITEMS)
    assert found["country"].values == COUNTRIES
    loud = np.concatenate([rows, np.array([(0, 10_000, item) for item in range(ITEMS)])])
    quiet, noisy = (
        find_segments(one, np.ones(len(one.item)), ITEMS)["country"].log_lift
        for one in (interactions_of_rows(rows), interactions_of_rows(loud))
    )
    assert np.abs(quiet - noisy).max() < 0.5


def test_the_choice_looks_at_no_later_events_than_the_refresh() -> None:
    """What follows the cut decides whether segments count, not how much more an item is liked."""
    rows = drawn()
    older = rows[: int(0.8 * len(rows))]
    planted = rows.copy()
    own = ITEMS // len(COUNTRIES)
    planted[len(older) :, 2] = (planted[len(older) :, 2] + own) % ITEMS
    ones = np.ones(len(older))
    first, second = (
        find_segments(interactions_of_rows(one).taken(slice(0, len(older))), ones, ITEMS)
        for one in (rows, planted)
    )
    np.testing.assert_array_equal(first["country"].log_lift, second["country"].log_lift)
    assert not learnt(interactions_of_rows(planted)).learnt.segments


def test_the_order_of_events_and_of_values_makes_no_difference() -> None:
    rows = drawn()
    events = interactions_of_rows(rows)
    turned = ContextValues(3 - events.context["country"].code, COUNTRIES[::-1])
    order = np.random.default_rng(2).permutation(len(rows))
    other = dataclasses.replace(events, context={"country": turned}).taken(order)
    first, second = learnt(events), learnt(other)
    assert first.learnt == second.learnt
    assert first.segments.same_as(second.segments)
