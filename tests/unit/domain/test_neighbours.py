"""Neighbours in the score: the sum, written out step by step, and the part of each event."""

from __future__ import annotations

import dataclasses
from random import Random
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.interest import fold, fold_each
from penchant.domain.neighbours import (
    NEIGHBOUR_DTYPE,
    OPENING,
    OPENING_HALVINGS,
    RECENT_EVENTS,
    Neighbours,
    near_all,
    near_shares,
    near_some,
    no_neighbours,
    recent_of,
)
from penchant.domain.types import RECENT_DTYPE, Recent
from tests.support.folds import ITEMS, SETTINGS, FoldEvent, histories, items_of, prior, window_of

ROWS = 7
BUCKETS = st.integers(0, 200)
DELETED = st.frozensets(st.integers(0, ITEMS - 1), max_size=2)
PLACES = st.integers(0, ROWS + 3) | st.just(int(OPENING))
"""Items of which the last few are newer than any neighbours, and the opening."""
NUMBERS = st.lists(st.integers(0, ROWS + 3), max_size=9)
EIGHTHS = st.integers(0, 16).map(lambda eighths: eighths / 8)


@st.composite
def tables(draw: st.DrawFn) -> Neighbours:
    """N of the first few of ROWS items; no row repeats a neighbour, strength 0 pads the rows."""
    held, width = draw(st.integers(0, ROWS)), draw(st.integers(0, 4))
    table = np.zeros((1 + held, width), NEIGHBOUR_DTYPE)
    for row in table:
        items = draw(st.lists(st.integers(0, ROWS - 1), max_size=width, unique=True))
        row["item"][: len(items)] = items
        row["strength"][: len(items)] = [draw(EIGHTHS) for _ in items]
    return table


RECENTS = st.lists(st.tuples(PLACES, EIGHTHS), max_size=6).map(
    lambda pairs: np.array(pairs, RECENT_DTYPE)
)


def naive_near(neighbours: Neighbours, recent: Recent, item: int) -> float:
    near = 0.0
    for turned_to, weight in recent.tolist():
        row = 0 if turned_to == OPENING else 1 + turned_to
        if row < len(neighbours):
            for neighbour, strength in neighbours[row].tolist():
                near += weight * strength * (neighbour == item)
    return near


def recent_after(
    events: list[FoldEvent], bucket: int = 100, deleted: frozenset[int] = frozenset()
) -> Recent:
    window = window_of(events)
    return fold(prior(), window, items_of(window, deleted), bucket, SETTINGS).recent


@given(neighbours=tables(), recent=RECENTS, wanted=NUMBERS, small=st.sampled_from([0, 16_384]))
def test_all_and_some_are_the_double_loop(
    neighbours: Neighbours, recent: Recent, wanted: list[int], small: int
) -> None:
    slowly = [naive_near(neighbours, recent, item) for item in range(ROWS + 4)]
    np.testing.assert_array_equal(
        near_all(neighbours, recent, ROWS + 4), np.array(slowly, np.float32)
    )
    rows = np.array(wanted, np.int64)
    with mock.patch("penchant.domain.neighbours.SMALL_ROWS", small):
        found = near_some(neighbours, recent, rows)
    np.testing.assert_array_equal(found, np.array(slowly, np.float32)[rows])


@given(neighbours=tables(), recent=RECENTS, wanted=NUMBERS)
def test_the_shares_of_all_events_sum_to_the_whole(
    neighbours: Neighbours, recent: Recent, wanted: list[int]
) -> None:
    rows = np.array(wanted, np.int64)
    parts = near_shares(neighbours, recent, rows)
    assert parts.shape == (len(rows), len(recent))
    np.testing.assert_allclose(parts.sum(axis=1), near_some(neighbours, recent, rows), atol=1e-6)


@given(recent=RECENTS, wanted=NUMBERS)
def test_without_neighbours_nothing_is_near(recent: Recent, wanted: list[int]) -> None:
    assert not near_all(no_neighbours(), recent, ROWS).any()
    rows = np.array(wanted, np.int64)
    assert near_some(no_neighbours(), recent, rows).tolist() == [0.0] * len(rows)
    assert not near_shares(no_neighbours(), recent, rows).any()


@given(neighbours=tables(), items=st.lists(PLACES, max_size=6))
def test_what_weighs_nothing_has_no_neighbours(neighbours: Neighbours, items: list[int]) -> None:
    recent = np.array([(item, 0.0) for item in items], RECENT_DTYPE)
    assert not near_all(neighbours, recent, ROWS).any()


@given(events=histories(max_size=30), bucket=BUCKETS, deleted=DELETED)
def test_the_weights_of_likes_sum_to_one_and_none_is_negative(
    events: list[FoldEvent], bucket: int, deleted: frozenset[int]
) -> None:
    recent = recent_after(events, bucket, deleted)
    assert (recent["weight"] >= 0).all()
    likes = recent["weight"][recent["item"] != OPENING]
    if len(likes):
        assert likes.sum() == pytest.approx(1.0, abs=1e-5)


@given(rewards=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), max_size=40))
def test_the_equation_of_the_weights_holds_and_only_newcomers_have_the_opening(
    rewards: list[float],
) -> None:
    events = [FoldEvent(f"e{at}", at % ITEMS, at, reward, 1.0) for at, reward in enumerate(rewards)]
    n, half_life = len(rewards), SETTINGS.near_half_life_events
    expected = [
        (at % ITEMS, reward * 0.5 ** ((n - 1 - at) / half_life))
        for at, reward in enumerate(rewards)
        if reward > 0 and n - 1 - at < RECENT_EVENTS
    ]
    likes = np.array([weight for _, weight in expected])
    weights = (likes / (likes.sum() or 1)).tolist()
    opening = SETTINGS.opening_half_life_events
    if n < OPENING_HALVINGS * opening:
        expected.append((int(OPENING), 1.0))
        weights.append(0.5 ** (n / opening))
    recent = recent_after(events)
    assert recent["item"].tolist() == [item for item, _ in expected]
    np.testing.assert_allclose(recent["weight"], weights, atol=1e-6)


def test_half_lives_that_leave_nothing_leave_finite_weights() -> None:
    recent = recent_of(np.array([3], np.uint32), np.zeros(1), 5, 0.001)
    assert recent.tolist() == []


@given(events=histories(), bucket=BUCKETS, order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    events: list[FoldEvent], bucket: int, order: Random
) -> None:
    arrived = list(events)
    order.shuffle(arrived)
    assert recent_after(arrived, bucket).tobytes() == recent_after(events, bucket).tobytes()


@given(events=histories(), bucket=BUCKETS)
def test_what_is_not_counted_has_no_part(events: list[FoldEvent], bucket: int) -> None:
    """An open impression, or an event of a deleted item, has no effect."""
    bucket_start_s = bucket * SETTINGS.time_bucket_s
    waiting = FoldEvent("waiting", 0, 0, 1.0, 1.0, wait_s=bucket_start_s + 1, recommendation="r9")
    plain = recent_after(events, bucket, frozenset({5}))
    assert recent_after([*events, waiting], bucket, frozenset({5})).tobytes() == plain.tobytes()
    kept = [one for one in events if one.item != 5]
    assert recent_after(kept, bucket).tobytes() == plain.tobytes()


@given(events=histories(max_size=30), bucket=BUCKETS, deleted=DELETED)
def test_dislikes_and_deleted_items_are_never_named(
    events: list[FoldEvent], bucket: int, deleted: frozenset[int]
) -> None:
    liked = {one.item for one in events if one.reward > 0} - deleted
    assert set(recent_after(events, bucket, deleted)["item"].tolist()) <= liked | {int(OPENING)}


@given(
    users=st.lists(histories(max_size=20).filter(bool), min_size=1, max_size=4),
    bucket=BUCKETS,
    deleted=DELETED,
)
def test_users_folded_together_turn_to_what_each_does_alone_bit_by_bit(
    users: list[list[FoldEvent]], bucket: int, deleted: frozenset[int]
) -> None:
    windows = [window_of(events) for events in users]
    window, lengths = np.concatenate(windows), np.array([len(one) for one in windows])
    together = fold_each(prior(), window, lengths, items_of(window, deleted), bucket, SETTINGS)
    alone = [recent_after(events, bucket, deleted).tobytes() for events in users]
    assert [one.recent.tobytes() for one in together] == alone


@given(events=histories(), bucket=BUCKETS, half_life=st.sampled_from([0.5, 1.0, 20.0]))
def test_the_half_life_changes_weights_and_not_whose_they_are(
    events: list[FoldEvent], bucket: int, half_life: float
) -> None:
    window = window_of(events)
    other = dataclasses.replace(SETTINGS, near_half_life_events=half_life)
    recent = fold(prior(), window, items_of(window), bucket, other).recent
    assert recent["item"].tolist() == recent_after(events, bucket)["item"].tolist()
