"""Each baseline agrees with a slow or hand-made reference for its paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.evaluation.baselines.ease import Ease, EaseWindowed, solve
from penchant.evaluation.baselines.isgd import Isgd
from penchant.evaluation.baselines.item_knn import ItemKnn
from penchant.evaluation.baselines.likes import MOST_ITEMS, Likes, check_pairs
from penchant.evaluation.baselines.popularity import DecayedPopularity, MostPopular
from penchant.logs.stream import Stream
from tests.unit.evaluation.baselines.planted import ITEMS, stream_of

EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, ITEMS - 1), st.booleans()), min_size=1, max_size=40
)


def stream(events: list[tuple[int, int, bool]]) -> Stream:
    user, item, relevant = (list(column) for column in zip(*events, strict=True))
    return stream_of(user, item, relevant, users=6)


def matrix(of: Stream) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Likes as 0 and 1, shape (users, items)."""
    likes = np.zeros((len(of.users), len(of.items)))
    likes[of.user[of.relevant], of.item[of.relevant]] = 1
    return likes


@given(EVENTS, st.integers(0, 40))
def test_each_event_counts_once_however_fit_and_learn_share_them(
    events: list[tuple[int, int, bool]], cut: int
) -> None:
    log, cut = stream(events), min(cut, len(events))
    baseline = MostPopular()
    baseline.fit(log, cut)
    for position in range(cut, len(events)):
        baseline.learn(position)
    baseline.fit(log, len(events))
    expected = np.bincount(log.item[log.relevant], minlength=ITEMS)
    np.testing.assert_array_equal(baseline.scores(0, 0), expected)


def test_another_stream_resets_the_counts() -> None:
    baseline = MostPopular()
    baseline.fit(stream([(0, 1, True)]), 1)
    baseline.fit(stream([(0, 2, True)]), 1)
    assert np.flatnonzero(baseline.scores(0, 0)).tolist() == [2]


def test_positions_without_a_stream_are_refused() -> None:
    with pytest.raises(RuntimeError, match="fit was not called"):
        Likes().add(0)


def test_a_like_counts_half_after_the_half_life() -> None:
    log = stream([(0, 1, True), (1, 2, True), (2, 3, False), (1, 3, True)])
    day = 1 / 86_400
    baseline = DecayedPopularity(half_life_days=day)
    baseline.fit(log, 2)
    baseline.learn(2)
    baseline.learn(3)
    np.testing.assert_allclose(baseline.scores(0, 0)[1:4], [0.125, 0.25, 1.0], rtol=1e-6)


@given(EVENTS)
def test_item_knn_is_the_cosine_over_all_users(events: list[tuple[int, int, bool]]) -> None:
    log = stream(events)
    baseline = ItemKnn(decay=1.0, shrinkage=0.0)
    baseline.fit(log, len(events) // 2)
    for position in range(len(events) // 2, len(events)):
        baseline.learn(position)
    likes = matrix(log)
    norms = np.linalg.norm(likes, axis=0)
    cosine = likes.T @ likes / np.maximum(np.outer(norms, norms), 1e-12)
    for user in np.flatnonzero(likes.any(axis=1)):
        liked = log.item[log.relevant & (log.user == user)]
        np.testing.assert_allclose(baseline.scores(user, 0), cosine[liked].sum(axis=0), rtol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(0.5, 50))
def test_ease_is_ridge_regression_of_each_item_on_the_others(seed: int, penalty: float) -> None:
    likes = (np.random.default_rng(seed).random((12, 6)) < 0.4).astype(np.float64)
    weights = solve(likes.T @ likes, penalty)
    for item in range(6):
        others = np.delete(np.arange(6), item)
        X = likes[:, others]
        ridge = np.linalg.solve(X.T @ X + penalty * np.eye(5), X.T @ likes[:, item])
        np.testing.assert_allclose(weights[others, item], ridge, atol=1e-5)
        assert weights[item, item] == 0


@given(EVENTS)
def test_ease_scores_are_the_users_likes_times_the_weights(
    events: list[tuple[int, int, bool]],
) -> None:
    log = stream([*dict.fromkeys((user, item, True) for user, item, _ in events)])
    baseline = Ease(regularization=3.0, decay=1.0)
    baseline.fit(log, len(log.item))
    likes = matrix(log)
    expected = likes @ solve(likes.T @ likes, 3.0)
    for user in np.flatnonzero(likes.any(axis=1)):
        np.testing.assert_allclose(baseline.scores(user, 0), expected[user], atol=1e-5)


def test_a_window_leaves_out_likes_far_apart() -> None:
    log = stream([(0, item, True) for item in range(6)] + [(1, 0, True)])
    baseline = EaseWindowed(window=2, regularization=1.0, decay=1.0)
    baseline.fit(log, len(log.item))
    near = {1: 2 / 3, 2: 1 / 3}
    gram = np.zeros((ITEMS, ITEMS))
    for one in range(6):
        for other in range(6):
            gram[one, other] = near.get(abs(one - other), float(one == other))
    gram[0, 0] = 2
    np.testing.assert_allclose(baseline.scores(1, 0), solve(gram, 1.0)[0], atol=1e-6)


@given(st.integers(0, 1000), st.integers(1, 45))
def test_a_window_keeps_the_gram_matrix_positive_semidefinite(seed: int, window: int) -> None:
    order = np.random.default_rng(seed).permutation(ITEMS)
    gram = np.zeros((ITEMS, ITEMS))
    EaseWindowed(window=window)._count(gram, order)
    assert np.linalg.eigvalsh(gram).min() > -1e-9


def test_isgd_takes_the_step_of_the_paper() -> None:
    log = stream([(0, 1, True), (0, 2, False)])
    baseline = Isgd(seed=5, factors=3, rate=0.1, regularization=0.2, spread=0.5)
    baseline.fit(log, 0)
    p, q = baseline._users[0].copy(), baseline._items[1].copy()
    baseline.learn(0)
    baseline.learn(1)
    error = 1 - p @ q
    moved = p + 0.1 * (error * q - 0.2 * p)
    np.testing.assert_allclose(baseline._users[0], moved)
    np.testing.assert_allclose(baseline._items[1], q + 0.1 * (error * moved - 0.2 * q))


def test_the_weight_of_a_like_decays_to_nothing() -> None:
    likes = Likes()
    likes.follow(stream([(0, item % ITEMS, True) for item in range(20)]), 20)
    items, weights = likes.decayed(0, 0.5)
    assert items.tolist() == list(range(10, 20))
    np.testing.assert_array_equal(weights, 0.5 ** np.arange(9, -1, -1))


def test_a_catalog_with_too_many_pairs_for_memory_is_refused() -> None:
    check_pairs("ease", MOST_ITEMS)
    with pytest.raises(ConfigError, match="got 20001 items, expected at most 20000"):
        check_pairs("ease", MOST_ITEMS + 1)
