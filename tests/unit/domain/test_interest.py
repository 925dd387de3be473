"""The fold: its equations, and its invariances."""

from __future__ import annotations

import dataclasses
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penchant.domain.event_weights import counted, time_bucket
from penchant.domain.interest import Items, fold, fold_each, shares, user_vector
from penchant.domain.types import Interest
from tests.support.folds import (
    DIMENSIONS,
    ITEMS,
    SETTINGS,
    FoldEvent,
    catalog,
    histories,
    items_of,
    prior,
    textbook_fold,
    window_of,
)

DELETED = st.frozensets(st.integers(0, ITEMS - 1), max_size=2)
BUCKETS = st.integers(0, 200)


def in_order(events: list[FoldEvent]) -> list[FoldEvent]:
    """The events in the order of a window."""
    by_digest = {int(row["event"]): place for place, row in enumerate(window_of(events))}
    places = {one.id: by_digest[int(window_of([one])["event"][0])] for one in events}
    return sorted(events, key=lambda one: places[one.id])


def interest(
    events: list[FoldEvent], bucket: int = 100, deleted: frozenset[int] = frozenset()
) -> Interest:
    window = window_of(events)
    return fold(prior(), window, items_of(window, deleted), bucket, SETTINGS)


def score(events: list[FoldEvent], item: int, bucket: int = 100) -> float:
    return float(user_vector(interest(events, bucket), SETTINGS) @ catalog()[item])


@given(
    users=st.lists(histories().filter(bool), min_size=1, max_size=5),
    bucket=BUCKETS,
    deleted=DELETED,
)
def test_users_folded_together_get_what_each_gets_alone_bit_by_bit(
    users: list[list[FoldEvent]], bucket: int, deleted: frozenset[int]
) -> None:
    windows = [window_of(events) for events in users]
    window, lengths = np.concatenate(windows), np.array([len(one) for one in windows])
    together = fold_each(prior(), window, lengths, items_of(window, deleted), bucket, SETTINGS)
    for events, one in zip(users, together, strict=True):
        alone = interest(events, bucket, deleted)
        assert one.slow.tobytes() == alone.slow.tobytes()
        assert one.fast.tobytes() == alone.fast.tobytes()


@given(events=histories(), bucket=BUCKETS, deleted=DELETED, mean=st.sampled_from([0.0, 0.3]))
def test_the_fold_is_the_textbooks_equations(
    events: list[FoldEvent], bucket: int, deleted: frozenset[int], mean: float
) -> None:
    window = window_of(events)
    found = fold(prior(mean), window, items_of(window, deleted), bucket, SETTINGS)
    now_s = bucket * SETTINGS.time_bucket_s
    slow, fast = textbook_fold(in_order(events), deleted, now_s, np.full(DIMENSIONS, mean))
    np.testing.assert_allclose(found.slow, slow, atol=1e-5)
    np.testing.assert_allclose(found.fast, fast, atol=1e-5)


def test_without_events_the_interest_is_the_populations() -> None:
    found = interest([])
    np.testing.assert_array_equal(found.slow, prior().mean.astype(np.float32))
    assert not found.fast.any()


@given(events=histories(), bucket=BUCKETS)
def test_events_of_deleted_items_leave_the_prior(events: list[FoldEvent], bucket: int) -> None:
    found = interest(events, bucket, frozenset(range(ITEMS)))
    np.testing.assert_allclose(found.slow, prior().mean, atol=1e-6)
    assert not found.fast.any()


@given(events=histories(max_size=6), bucket=BUCKETS, garbage=st.floats(-9, 9, width=32))
def test_what_stands_in_a_deleted_items_row_does_not_matter(
    events: list[FoldEvent], bucket: int, garbage: float
) -> None:
    window, deleted = window_of(events), frozenset({0, 1})
    items = items_of(window, deleted)
    rubbish = items.vectors.copy()
    rubbish[~items.known] = garbage
    one = fold(prior(), window, items, bucket, SETTINGS)
    two = fold(prior(), window, Items(rubbish, items.known), bucket, SETTINGS)
    np.testing.assert_array_equal(one.slow, two.slow)
    np.testing.assert_array_equal(one.fast, two.fast)


@given(events=histories(), bucket=BUCKETS, order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    events: list[FoldEvent], bucket: int, order: Random
) -> None:
    arrived = list(events)
    order.shuffle(arrived)
    assert window_of(arrived).tobytes() == window_of(events).tobytes()
    one, two = interest(events, bucket), interest(arrived, bucket)
    assert one.slow.tobytes() == two.slow.tobytes()
    assert one.fast.tobytes() == two.fast.tobytes()


@given(events=histories(), bucket=BUCKETS, later_s=st.integers(0, 9))
def test_folds_in_one_time_bucket_are_equal(
    events: list[FoldEvent], bucket: int, later_s: int
) -> None:
    now_us = bucket * 10_000_000
    assert time_bucket(now_us, SETTINGS) == bucket
    assert time_bucket(now_us + later_s * 1_000_000, SETTINGS) == bucket


@given(events=histories(max_size=5), item=st.integers(0, ITEMS - 1))
def test_a_like_raises_its_items_score_and_a_dislike_lowers_it(
    events: list[FoldEvent], item: int
) -> None:
    liked = FoldEvent("new", item, 1000, 1.0, 1.0)
    disliked = dataclasses.replace(liked, reward=-1.0)
    before = float(interest(events).slow @ catalog()[item])
    assume(-0.9 < before < 0.9)
    slow_liked = float(interest([*events, liked]).slow @ catalog()[item])
    slow_disliked = float(interest([*events, disliked]).slow @ catalog()[item])
    assert slow_disliked < slow_liked


@given(pair=st.permutations(range(ITEMS)))
def test_the_more_recent_of_two_likes_weighs_more(pair: list[int]) -> None:
    old, new = pair[:2]
    events = [FoldEvent("a", old, 100, 1.0, 1.0), FoldEvent("b", new, 900, 1.0, 1.0)]
    window = window_of(events)
    split = shares(prior(0.0), window, items_of(window), 100, SETTINGS, catalog()[[old, new]])
    by_event = split.slow + split.fast
    assert by_event[1, 1] > by_event[0, 0]


@given(events=histories(max_size=6), bucket=st.integers(101, 150), later=st.integers(1, 5000))
def test_old_events_fade_towards_the_prior(
    events: list[FoldEvent], bucket: int, later: int
) -> None:
    outcomes = [dataclasses.replace(one, wait_s=None) for one in events]
    mean = prior().mean

    def away(at: int) -> float:
        window = window_of(outcomes)
        found = fold(prior(), window, items_of(window), at, SETTINGS)
        moved = found.slow.astype(np.float64) - mean
        return float(moved @ prior().precision @ moved)

    assert away(bucket + later) <= away(bucket) + 1e-5


IMPRESSION = FoldEvent("shown", 0, 500, -0.5, 1.0, wait_s=60.0, recommendation="r1")
CLICK = FoldEvent("clicked", 0, 520, 0.5, 1.0, recommendation="r1")


def counts_of(*events: FoldEvent, at_s: int) -> list[bool]:
    window = window_of(list(events))
    counts = counted(window, at_s // 10, SETTINGS)
    by_event = dict(zip(window["event"].tolist(), counts.tolist(), strict=True))
    return [by_event[int(window_of([one])["event"][0])] for one in events]


@pytest.mark.parametrize(("at_s", "counts"), [(0, False), (550, False), (560, True), (990, True)])
def test_an_unanswered_impression_counts_once_its_wait_is_over(at_s: int, counts: bool) -> None:
    assert counts_of(IMPRESSION, at_s=at_s) == [counts]


@pytest.mark.parametrize("at_s", [510, 560, 990])
def test_an_answered_impression_never_counts(at_s: int) -> None:
    assert counts_of(IMPRESSION, CLICK, at_s=at_s) == [False, True]


def test_an_outcome_reported_with_an_earlier_time_answers_its_impression_too() -> None:
    early = dataclasses.replace(CLICK, at_s=400)
    assert counts_of(IMPRESSION, early, at_s=990) == [False, True]


@pytest.mark.parametrize("change", [{"item": 1}, {"recommendation": "r2"}, {"recommendation": ""}])
def test_an_outcome_elsewhere_answers_nothing(change: dict[str, object]) -> None:
    other = dataclasses.replace(CLICK, **change)  # type: ignore[arg-type]
    assert counts_of(IMPRESSION, other, at_s=990) == [True, True]


def test_an_impression_without_a_recommendation_is_answered_by_any_later_outcome() -> None:
    loose = dataclasses.replace(IMPRESSION, recommendation="")
    assert counts_of(loose, CLICK, at_s=990) == [False, True]
    assert counts_of(loose, dataclasses.replace(CLICK, at_s=499), at_s=990) == [True, True]
    assert counts_of(loose, dataclasses.replace(CLICK, item=1), at_s=990) == [True, True]


def test_one_impression_does_not_answer_another() -> None:
    again = dataclasses.replace(IMPRESSION, id="again", at_s=510)
    assert counts_of(IMPRESSION, again, at_s=990) == [True, True]


def test_an_ignored_item_falls_once_the_wait_is_over() -> None:
    assert score([IMPRESSION], 0, bucket=55) == pytest.approx(score([], 0))
    assert score([IMPRESSION], 0, bucket=56) < score([], 0)


@given(events=histories(), bucket=BUCKETS, deleted=DELETED, mean=st.sampled_from([0.0, 0.3]))
def test_the_events_shares_sum_to_the_scores_parts(
    events: list[FoldEvent], bucket: int, deleted: frozenset[int], mean: float
) -> None:
    window, ranked = window_of(events), catalog()
    items = items_of(window, deleted)
    found = fold(prior(mean), window, items, bucket, SETTINGS)
    split = shares(prior(mean), window, items, bucket, SETTINGS, ranked)
    slow = SETTINGS.slow_weight * (ranked @ found.slow)
    fast = SETTINGS.fast_weight * (ranked @ found.fast)
    np.testing.assert_allclose(split.prior + split.slow.sum(axis=1), slow, atol=1e-5)
    np.testing.assert_allclose(split.fast.sum(axis=1), fast, atol=1e-5)
