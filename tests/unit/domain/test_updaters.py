"""The laws of every updater, whatever its mathematics."""

from __future__ import annotations

import dataclasses
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penchant.domain.interest import fold, fold_each, score, shares, user_vector
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Interest, Vector
from penchant.domain.updaters import UPDATERS
from tests.support.folds import (
    DIMENSIONS,
    ITEMS,
    SETTINGS,
    FoldEvent,
    catalog,
    histories,
    items_of,
    prior,
    window_of,
)

EACH_UPDATER = pytest.mark.parametrize("updater", UPDATERS)
DELETED = st.frozensets(st.integers(0, ITEMS - 1), max_size=2)
BUCKETS = st.integers(0, 200)
MEANS = st.sampled_from([0.0, 0.3])


def settings_of(updater: str) -> FoldSettings:
    return dataclasses.replace(SETTINGS, updater=updater, learning_rate=0.7)


def interest(
    events: list[FoldEvent],
    settings: FoldSettings,
    bucket: int = 100,
    deleted: frozenset[int] = frozenset(),
) -> Interest:
    window = window_of(events)
    return fold(prior(), window, items_of(window, deleted), bucket, settings)


def scores(found: Interest, settings: FoldSettings) -> Vector:
    offsets = np.zeros(ITEMS, np.float32)
    return score(catalog(), offsets, offsets, offsets, user_vector(found, settings))[0]


@EACH_UPDATER
def test_without_events_the_interest_is_the_populations(updater: str) -> None:
    settings = settings_of(updater)
    found = interest([], settings)
    each = found.slow.reshape(settings.interests, DIMENSIONS)
    assert (each == prior().mean.astype(np.float32)).all()
    assert not found.fast.any()


@EACH_UPDATER
@given(events=histories(), bucket=BUCKETS)
def test_events_of_deleted_items_leave_the_prior(
    updater: str, events: list[FoldEvent], bucket: int
) -> None:
    found = interest(events, settings_of(updater), bucket, frozenset(range(ITEMS)))
    np.testing.assert_allclose(found.slow.reshape(-1, DIMENSIONS) - prior().mean, 0, atol=1e-6)


@EACH_UPDATER
@given(events=histories(), bucket=BUCKETS, order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    updater: str, events: list[FoldEvent], bucket: int, order: Random
) -> None:
    arrived = list(events)
    order.shuffle(arrived)
    settings = settings_of(updater)
    one, two = interest(events, settings, bucket), interest(arrived, settings, bucket)
    assert one.slow.tobytes() == two.slow.tobytes()
    assert one.fast.tobytes() == two.fast.tobytes()


@EACH_UPDATER
@given(
    users=st.lists(histories().filter(bool), min_size=1, max_size=5),
    bucket=BUCKETS,
    deleted=DELETED,
)
def test_users_folded_together_get_what_each_gets_alone_bit_by_bit(
    updater: str, users: list[list[FoldEvent]], bucket: int, deleted: frozenset[int]
) -> None:
    settings = settings_of(updater)
    windows = [window_of(events) for events in users]
    window, lengths = np.concatenate(windows), np.array([len(one) for one in windows])
    together = fold_each(prior(), window, lengths, items_of(window, deleted), bucket, settings)
    for events, one in zip(users, together, strict=True):
        alone = interest(events, settings, bucket, deleted)
        assert one.slow.tobytes() == alone.slow.tobytes()
        assert one.fast.tobytes() == alone.fast.tobytes()


@EACH_UPDATER
@given(events=histories(max_size=5), item=st.integers(0, ITEMS - 1), weight=st.sampled_from([1, 2]))
def test_a_like_raises_its_items_score_and_a_dislike_lowers_it(
    updater: str, events: list[FoldEvent], item: int, weight: float
) -> None:
    # Without fading, no other event changes its weight; with a cluster for each liked item of
    # `prototypes`, no like moves to another cluster.
    steady = dataclasses.replace(
        settings_of(updater), half_life_events=1e12, half_life_s=1e12, fast_weight=0.0, prototypes=6
    )
    outcomes = [dataclasses.replace(one, wait_s=None) for one in events]
    liked = FoldEvent("new", item, 1000, 1.0, weight)
    disliked = dataclasses.replace(liked, reward=-1.0)
    before = interest(outcomes, steady)
    assume(np.abs(before.slow).max() < 0.9)
    each = before.slow.reshape(-1, DIMENSIONS) @ catalog()[item]
    assume(np.abs(each).max() < 0.9)
    at = [
        scores(interest([*outcomes, *more], steady), steady)[item] for more in ([disliked], [liked])
    ]
    assert at[0] < scores(before, steady)[item] < at[1]


@EACH_UPDATER
@given(events=histories(), bucket=BUCKETS, deleted=DELETED, mean=MEANS)
def test_the_events_shares_sum_to_the_score(
    updater: str, events: list[FoldEvent], bucket: int, deleted: frozenset[int], mean: float
) -> None:
    settings, window = settings_of(updater), window_of(events)
    items = items_of(window, deleted)
    found = fold(prior(mean), window, items, bucket, settings)
    split = shares(prior(mean), window, items, bucket, settings, catalog())
    total = split.prior + split.slow.sum(axis=1) + split.fast.sum(axis=1)
    np.testing.assert_allclose(total, scores(found, settings), atol=1e-5)


@EACH_UPDATER
@given(events=histories(max_size=8), scale=st.sampled_from([1e-30, 1e-6, 1e6, 1e12]))
def test_the_interest_is_finite_whatever_the_weights(
    updater: str, events: list[FoldEvent], scale: float
) -> None:
    extreme = [
        dataclasses.replace(one, weight=one.weight * (scale if place % 2 else 1.0))
        for place, one in enumerate(events)
    ]
    found = interest(extreme, settings_of(updater))
    assert np.isfinite(found.slow).all()
    assert np.isfinite(found.fast).all()


@EACH_UPDATER
@given(events=histories())
def test_every_record_has_the_size_that_the_settings_say(
    updater: str, events: list[FoldEvent]
) -> None:
    settings = settings_of(updater)
    found = interest(events, settings)
    assert found.slow.dtype == found.fast.dtype == np.float32
    assert found.slow.shape == (settings.interests * DIMENSIONS,)
    assert found.fast.shape == (DIMENSIONS,)


@EACH_UPDATER
def test_the_more_recent_of_two_likes_weighs_more(updater: str) -> None:
    settings = dataclasses.replace(settings_of(updater), prototypes=1)
    events = [FoldEvent("a", 0, 100, 1.0, 1.0), FoldEvent("b", 1, 900, 1.0, 1.0)]
    window = window_of(events)
    split = shares(prior(0.0), window, items_of(window), 100, settings, catalog()[[0, 1]])
    assert split.slow[1, 1] > split.slow[0, 0]
