"""Metrics against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.evaluation import metrics
from penchant.evaluation.metrics import MeanInterval

RANK = np.array([1.0, 2.0, 7.0, 10.0, 10.5, 200.0])


def test_recall_by_hand() -> None:
    assert metrics.recall(RANK, 10).mean() == pytest.approx(4 / 6)
    assert metrics.recall(RANK, 1).mean() == pytest.approx(1 / 6)


def test_ndcg_by_hand() -> None:
    by_hand = [1.0, 0.6309297535714575, 1 / 3, 0.2890648263178879, 0.0, 0.0]
    assert metrics.ndcg(RANK, 10).tolist() == pytest.approx(by_hand)


def test_mrr_by_hand() -> None:
    by_hand = (1 + 1 / 2 + 1 / 7 + 1 / 10 + 2 / 21 + 1 / 200) / 6
    assert metrics.reciprocal_rank(RANK).mean() == pytest.approx(by_hand)


def test_users_are_resampled_with_all_their_rankings() -> None:
    # One user has a single hit, the other three misses. A resample holds both, or one of them
    # twice, so its mean is 1/4, 1 or 0.
    values, user = np.array([[1.0], [0.0], [0.0], [0.0]]), np.array([5, 9, 9, 9])
    means = metrics.bootstrap(values, user, seed=1, resamples=4000)[:, 0]
    shares = [float(np.mean(means == mean)) for mean in (0.0, 0.25, 1.0)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


def test_an_interval_covers_the_mean_and_narrows_with_users() -> None:
    random = np.random.default_rng(3)
    widths = []
    for users in (50, 5000):
        values = random.random((users, 1))
        (interval,) = metrics.estimates(values, np.arange(users), seed=1)
        assert interval.low < interval.mean < interval.high
        widths.append(interval.high - interval.low)
    # 2 * 1.96 standard errors of a uniform distribution: 2 * 1.96 * sqrt(1 / 12 / users)
    assert widths[0] == pytest.approx(0.16, rel=0.3)
    assert widths[1] == pytest.approx(0.016, rel=0.3)


def test_intervals_depend_on_the_seed() -> None:
    values, user = np.random.default_rng(1).random((40, 2)), np.arange(40) % 7
    first, again, other = (metrics.estimates(values, user, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_without_rankings_there_is_no_number() -> None:
    (nothing,) = metrics.estimates(np.empty((0, 1)), np.empty(0, np.int64), seed=1)
    assert all(map(math.isnan, (nothing.mean, nothing.low, nothing.high)))
    assert isinstance(nothing, MeanInterval)


def test_exposure_by_hand() -> None:
    top = np.array([[0, 1], [0, 2], [0, -1]], np.int32)
    exposed = metrics.exposure(top, items=4)
    assert exposed.tolist() == [3, 1, 1, 0]
    assert metrics.coverage(exposed) == 0.75
    # The mean difference of pairs, 18 / 16, over twice the mean, 1.25.
    assert metrics.gini(exposed) == pytest.approx(0.45)
    assert metrics.gini(np.zeros(3, np.int64)) == 0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any))
def test_gini_is_half_the_relative_mean_difference(counts: list[int]) -> None:
    exposed = np.array(counts)
    differences = np.abs(exposed[:, None] - exposed).mean()
    assert metrics.gini(exposed) == pytest.approx(differences / (2 * exposed.mean()))


def test_novelty_by_hand() -> None:
    # One event is added to each of three items. Before any event each has a share of 1/3; after
    # three events about item 0, that item has 4/6 and the others 1/6.
    item = np.array([0, 0, 0])
    top = np.array([[0, 1], [0, 2]], np.int32)
    bits = metrics.novelty(top, np.array([0, 3]), item, items=3)
    assert bits == pytest.approx((2 * math.log2(3) + math.log2(6 / 4) + math.log2(6)) / 4)
    nothing = np.full((1, 2), -1, np.int32)
    assert math.isnan(metrics.novelty(nothing, np.array([0]), item, items=3))
