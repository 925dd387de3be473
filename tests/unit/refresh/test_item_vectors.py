"""Laws of the fit: which items move, and that order and repetition of the log change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.logs.interactions import Interactions
from penchant.refresh.cooccurrence import count_near, mutual_information
from penchant.refresh.factors import DENSE_ITEMS
from penchant.refresh.item_vectors import fit_item_vectors


def unit_rows(items: int, dimensions: int = 8, seed: int = 0) -> Matrix:
    rows = np.random.default_rng(seed).standard_normal((items, dimensions))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def random_events(items: int, events: int = 300, seed: int = 0) -> Interactions:
    rng = np.random.default_rng(seed)
    return Interactions(
        user=rng.integers(0, 12, events),
        item=rng.integers(0, items, events),
        reward=rng.uniform(-1, 1, events),
        at_us=rng.integers(0, 40, events),  # Many at equal times.
    )


def shuffled(events: Interactions, seed: int) -> Interactions:
    order = np.random.default_rng(seed).permutation(len(events.item))
    user, item = events.user[order], events.item[order]
    return Interactions(user, item, events.reward[order], events.at_us[order])


def planted(groups: int, size: int, seed: int = 0) -> Interactions:
    """Each user likes items of one group, one after the other."""
    rng = np.random.default_rng(seed)
    users = 20 * groups
    items = np.concatenate(
        [size * (user % groups) + rng.permutation(size) for user in range(users)]
    )
    user = np.repeat(np.arange(users), size)
    return Interactions(user, items, np.ones(len(items)), np.arange(len(items)))


def test_an_item_without_likes_keeps_its_texts_vector_to_the_bit() -> None:
    texts, events = unit_rows(30), random_events(20)
    fresh = fit_item_vectors(events, texts)
    np.testing.assert_array_equal(fresh.vectors[20:], texts[20:])
    assert not fresh.residuals[20:].any()
    assert fresh.residuals[:20].any(axis=1).all()
    np.testing.assert_allclose(np.linalg.norm(fresh.vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("reward", [-1.0, 0.0])
def test_what_nobody_liked_moves_nothing(reward: float) -> None:
    texts, events = unit_rows(10), random_events(10)
    disliked = Interactions(events.user, events.item, np.full(300, reward), events.at_us)
    np.testing.assert_array_equal(fit_item_vectors(disliked, texts).vectors, texts)


def test_an_empty_log_gives_the_text_catalog() -> None:
    none = np.empty(0, np.int64)
    fresh = fit_item_vectors(Interactions(none, none, np.empty(0), none), unit_rows(5))
    np.testing.assert_array_equal(fresh.vectors, unit_rows(5))
    assert not fresh.residuals.any()
    assert not fresh.prior_mean.any()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_log_makes_no_difference(seed: int) -> None:
    texts, events = unit_rows(15), random_events(15)
    one, two = fit_item_vectors(events, texts), fit_item_vectors(shuffled(events, seed), texts)
    np.testing.assert_array_equal(one.vectors, two.vectors)


@pytest.mark.parametrize("items", [40, DENSE_ITEMS + 60])
def test_a_refresh_is_deterministic(items: int) -> None:
    texts, events = unit_rows(items), random_events(items, 3000)
    one, two = fit_item_vectors(events, texts), fit_item_vectors(events, texts)
    np.testing.assert_array_equal(one.vectors, two.vectors)


@pytest.mark.parametrize(("groups", "size"), [(4, 6), (100, 6)])
def test_items_liked_together_move_together(groups: int, size: int) -> None:
    texts = unit_rows(groups * size, dimensions=16)
    vectors = fit_item_vectors(planted(groups, size), texts).vectors
    group = np.arange(groups * size) // size
    same = (group[:, None] == group) & ~np.eye(groups * size, dtype=bool)

    def margin(of: Matrix) -> float:
        return float((of @ of.T)[same].mean() - (of @ of.T)[~same].mean())

    assert margin(vectors) > margin(texts) + 0.2


def test_more_likes_move_an_item_further_from_its_text() -> None:
    texts, few = unit_rows(24, 16), planted(4, 6)
    part = Interactions(few.user[:48], few.item[:48], few.reward[:48], few.at_us[:48])
    near = (fit_item_vectors(part, texts).vectors * texts).sum(axis=1)
    far = (fit_item_vectors(few, texts).vectors * texts).sum(axis=1)
    assert far.mean() < near.mean()


def test_pairs_count_by_how_near_they_were_liked() -> None:
    user, item = np.array([0, 0, 0, 1, 1]), np.array([2, 0, 1, 2, 2])
    pairs = count_near(user, item, 3, window=2).toarray()
    expected = np.array([[0, 2, 2], [0, 0, 1], [0, 0, 0]]) / 3
    np.testing.assert_allclose(pairs, expected, rtol=1e-6)


def test_mutual_information_is_the_same_as_computed_pair_by_pair() -> None:
    events = random_events(6, 60)
    pairs = count_near(events.user, events.item, 6, window=3)
    g = (pairs + pairs.T).toarray().astype(np.float64)
    r, q = g.sum(axis=1), g.sum(axis=1) ** 0.75
    q /= q.sum()
    with np.errstate(divide="ignore"):
        one_way = np.maximum(0, np.log(g / np.outer(r, q)))
    expected = np.triu(one_way + one_way.T) / 2
    np.testing.assert_allclose(mutual_information(pairs).toarray(), expected, atol=1e-5)


def test_an_item_that_has_no_text_vector_is_refused() -> None:
    with pytest.raises(ConfigError, match="items: got numbers 0 to 9, expected 0 to 4"):
        fit_item_vectors(random_events(10), unit_rows(5))
