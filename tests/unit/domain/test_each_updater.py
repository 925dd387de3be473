"""The laws of each updater by itself: its own equations, and the cases in which it equals ridge."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.settings import FoldSettings
from penchant.domain.updaters import adagrad, diagonal, logistic, ogd, prototypes, ridge
from penchant.domain.updaters.observations import Observations
from penchant.domain.updaters.prototypes import cluster

SETTINGS = FoldSettings()
SEEDS = st.integers(0, 1000)


def observations(
    seed: int, events: int = 12, dimensions: int = 4, weight: float = 1.0
) -> Observations:
    """One user's random events about unit vectors, under a prior that is not diagonal."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((events, dimensions))
    root = rng.standard_normal((dimensions, dimensions))
    return Observations(
        precision=root @ root.T + np.eye(dimensions),
        mean=0.2 * rng.standard_normal(dimensions),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        rewards=rng.choice([-1.0, -0.3, 0.0, 0.5, 1.0], events),
        weights=weight * rng.random(events),
        lengths=np.array([events]),
    )


def on_axes(seed: int) -> Observations:
    """Each event about a dimension of its own, under a diagonal prior."""
    one, rng = observations(seed), np.random.default_rng(seed)
    return dataclasses.replace(
        one,
        precision=np.diag(rng.uniform(0.5, 3, 4)),
        vectors=np.eye(4)[rng.integers(0, 4, len(one.vectors))],
    )


def at_once(first: float, second: float) -> Observations:
    """Two events with weight 1 about (1, 0) and (0.6, 0.8), from 0 with a prior precision of 2."""
    return Observations(
        precision=2 * np.eye(2),
        mean=np.zeros(2),
        vectors=np.array([[1.0, 0.0], [0.6, 0.8]]),
        rewards=np.array([first, second]),
        weights=np.ones(2),
        lengths=np.array([2]),
    )


@given(seed=SEEDS, weight=st.sampled_from([0.1, 1.0, 10.0]))
def test_the_gradient_of_logistics_loss_is_zero_at_its_solution(seed: int, weight: float) -> None:
    given_ = observations(seed, weight=weight)
    (found,) = logistic.solve(given_, SETTINGS)
    errors = given_.weights * (np.tanh(given_.vectors @ found) - given_.rewards)
    gradient = given_.precision @ (found - given_.mean) + errors @ given_.vectors
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


@given(seed=SEEDS)
def test_logistic_is_ridge_where_the_interest_is_small(seed: int) -> None:
    given_ = observations(seed)
    faint = dataclasses.replace(given_, mean=np.zeros(4), rewards=1e-3 * given_.rewards)
    found, expected = logistic.solve(faint, SETTINGS), ridge.solve(faint, SETTINGS)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_an_interest_above_every_reward_is_pulled_down_by_ridge_but_not_by_logistic() -> None:
    sure = dataclasses.replace(at_once(1.0, 1.0), mean=np.array([3.0, 0.0]))
    above = {updater: updater.solve(sure, SETTINGS)[0, 0] for updater in (ridge, logistic)}
    assert above[ridge] < 2.5
    assert above[logistic] > 3.0


@given(seed=SEEDS)
def test_diagonal_is_ridge_where_the_events_lie_on_the_axes(seed: int) -> None:
    given_ = on_axes(seed)
    found, expected = diagonal.solve(given_, SETTINGS), ridge.solve(given_, SETTINGS)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_ogd_takes_the_steps_that_one_takes_by_hand() -> None:
    # a_1 = 1 (1 - 0) / (1 + 1/2) = 2/3, so m_1 = (1/3, 0); x_2.m_1 = 0.2 and
    # a_2 = 1 (-1 - 0.2) / (1 + 1/2) = -0.8, so m_2 = (1/3 - 0.24, -0.32).
    found = ogd.solve(at_once(1.0, -1.0), SETTINGS)
    np.testing.assert_allclose(found, [[1 / 3 - 0.24, -0.32]], atol=1e-12)


@given(seed=SEEDS)
def test_ogd_is_ridge_after_a_single_event(seed: int) -> None:
    given_ = observations(seed, events=1)
    found, expected = ogd.solve(given_, SETTINGS), ridge.solve(given_, SETTINGS)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_adagrad_takes_the_steps_that_one_takes_by_hand() -> None:
    # In units of the prior z = x / sqrt 2. g_1 = (1/sqrt 2, 0), squares (1/2, 0) + delta = 1/2;
    # u_1 = (eta/sqrt 2, 0) with eta = 0.4. z_2.u_1 = 0.3 eta = 0.12, so g_2 = -1.12 (0.6, 0.8) /
    # sqrt 2 and the squares are (1/2 + 1/2 + 0.225792, 1/2 + 0.401408).
    settings = FoldSettings(learning_rate=0.4, initial_accumulator=0.5)
    found = adagrad.solve(at_once(1.0, -1.0), settings)
    first = 0.4 / 2 - 0.4 * 0.336 / np.sqrt(1.225792)
    second = -0.4 * 0.448 / np.sqrt(0.901408)
    np.testing.assert_allclose(found, [[first, second]], atol=1e-12)


@given(seed=SEEDS)
def test_adagrad_moves_no_dimension_by_more_than_its_rate_an_event(seed: int) -> None:
    settings = FoldSettings(learning_rate=0.1, initial_accumulator=1e-9)
    given_ = dataclasses.replace(on_axes(seed), precision=np.eye(4), weights=np.full(12, 1e9))
    parts = adagrad.attribute(given_, settings)
    assert np.abs(parts.events).max() <= 0.1 + 1e-12


@pytest.mark.parametrize("same", [{"prototypes": 1}, {"prototype_sharing": 1.0}])
@given(seed=SEEDS)
def test_prototypes_that_share_all_are_ridge(same: dict[str, float], seed: int) -> None:
    given_ = observations(seed)
    settings = dataclasses.replace(SETTINGS, updater="prototypes", **same)  # type: ignore[arg-type]
    found = prototypes.solve(given_, settings).reshape(settings.interests, 4)
    expected = np.repeat(ridge.solve(given_, settings), settings.interests, axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_two_tastes_become_two_prototypes_that_each_rank_their_own_first() -> None:
    rng = np.random.default_rng(3)
    tastes = np.repeat(np.eye(4)[[0, 1]], 10, axis=0) + 0.1 * rng.standard_normal((20, 4))
    vectors = tastes / np.linalg.norm(tastes, axis=1, keepdims=True)
    given_ = Observations(np.eye(4), np.zeros(4), vectors, np.ones(20), np.ones(20), np.array([20]))
    settings = FoldSettings(updater="prototypes", prototypes=2, prototype_sharing=0.0)
    one, two = prototypes.solve(given_, settings).reshape(2, 4)
    between = np.array([1, 1, 0, 0]) / np.sqrt(2)
    likes = sorted([one, two], key=lambda slow: -slow[0])
    assert likes[0][0] > 0.8 > 0.2 > abs(likes[0][1])
    assert likes[1][1] > 0.8 > 0.2 > abs(likes[1][0])
    assert max(one @ between, two @ between) < 0.8  # Ridge likes the mean of the two best.
    assert ridge.solve(given_, settings)[0] @ between > 1.1


@given(seed=SEEDS, most=st.integers(1, 5))
def test_equal_likes_share_a_cluster_and_clusters_are_no_more_than_asked(
    seed: int, most: int
) -> None:
    rng = np.random.default_rng(seed)
    items = observations(seed).vectors[:6]
    liked = rng.integers(0, 6, 20)
    of = cluster(items[liked], rng.uniform(0.1, 1, 20), most)
    assert of.min() >= 0
    assert of.max() < most
    for item in set(liked.tolist()):
        assert len(set(of[liked == item].tolist())) == 1
