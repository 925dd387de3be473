"""Item weights are those of the closed form, and only of what was liked."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.domain.neighbours import near_all
from penchant.domain.types import RECENT_DTYPE
from penchant.evaluation.baselines.ease import EaseWindowed
from penchant.refresh import item_weights
from penchant.refresh.item_weights import RIDGE, find_item_weights
from penchant.refresh.sparse_item_weights import find_sparse_item_weights
from tests.unit.evaluation.streams import stream_of

ITEMS = 12


def histories(users: int = 40, seed: int = 0) -> list[tuple[int, int]]:
    """Pairs of user and item; the last two items are never liked, and some are liked again."""
    rng = np.random.default_rng(seed)
    return [(user, int(rng.integers(0, ITEMS - 2))) for user in range(users) for _ in range(6)]


def test_the_weights_are_those_of_windowed_ease() -> None:
    pairs = histories()
    user, item = np.array(pairs).T
    table = find_item_weights(user, item, ITEMS)
    # The mean of the diagonal: users per liked item.
    likes = len(set(pairs)) / (ITEMS - 2)
    ease = EaseWindowed(regularization=RIDGE * likes, decay=1.0)
    stream = stream_of(pairs, ITEMS)
    ease.fit(stream, len(pairs))
    dense = np.zeros((ITEMS, ITEMS))
    for row in range(ITEMS):
        np.add.at(dense[row], table["item"][1 + row], table["strength"][1 + row])
    for number in range(ITEMS - 2):
        one = stream_of([*pairs, (99, number)], ITEMS)
        ease._likes.follow(one, len(pairs) + 1)  # The weights stay; only the user is new.
        expected = ease.scores(int(one.user[-1]), 0)
        np.testing.assert_allclose(dense[number], expected, atol=1e-5)


def test_what_nobody_liked_has_no_weights_and_gets_none() -> None:
    user, item = np.array(histories()).T
    table = find_item_weights(user, item, ITEMS)
    assert not table["strength"][0].any()
    assert not table["strength"][ITEMS - 1 :].any()
    assert set(table["item"][table["strength"] != 0].tolist()) <= set(range(ITEMS - 2))


def test_without_likes_there_are_none() -> None:
    nothing = np.empty(0, np.int64)
    assert len(find_item_weights(nothing, nothing, ITEMS)) == 0


def of_kinds(items: int, users: int, each: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]  # Whole numbers.
    """Likes of users who mostly keep to three kinds of items, some items more popular."""
    rng = np.random.default_rng(3)
    kinds = items // 30
    kind = rng.integers(0, kinds, (users, 3))
    user = np.repeat(np.arange(users), each)
    of_kind = kind[user, rng.integers(0, 3, len(user))] + kinds * (
        30 * rng.random(len(user)) ** 2
    ).astype(np.int64)
    anything = (items * rng.random(len(user)) ** 2).astype(np.int64)
    return user, np.where(rng.random(len(user)) < 0.6, of_kind, anything)


def test_beyond_the_closed_form_its_approximation_recommends_nearly_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At a size where both are possible: of each user's twenty best items four fifths agree."""
    items = 420
    user, item = of_kinds(items, users=500, each=30)
    exact = find_item_weights(user, item, items)
    monkeypatch.setattr(item_weights, "MOST_ITEMS", 100)
    sparse = find_item_weights(user, item, items)
    assert sparse.shape[0] == exact.shape[0]
    assert not sparse["strength"][0].any()
    shared, correlations = [], []
    for number in range(0, 500, 10):
        liked = item[user == number]
        recent = np.array([(one, 1.0) for one in liked], RECENT_DTYPE)
        scores = [near_all(table, recent, items) for table in (exact, sparse)]
        for of_all in scores:
            of_all[liked] = -np.inf
        best = [set(np.argsort(-of_all)[:20].tolist()) for of_all in scores]
        shared.append(len(best[0] & best[1]) / 20)
        both = np.isfinite(scores[0])
        correlations.append(np.corrcoef(scores[0][both], scores[1][both])[0, 1])
    assert np.mean(shared) > 0.8
    assert np.mean(correlations) > 0.9


def test_the_approximation_is_the_same_whatever_the_order_of_users() -> None:
    user, item = of_kinds(120, users=80, each=12)
    other = 79 - user
    order = np.argsort(other, kind="stable")
    one = find_sparse_item_weights(user, item, 120, RIDGE)
    two = find_sparse_item_weights(other[order], item[order], 120, RIDGE)
    dense = []
    for table in (one, two):
        full = np.zeros((121, 120))
        np.put_along_axis(full, table["item"].astype(np.int64), table["strength"], axis=1)
        dense.append(full)
    np.testing.assert_allclose(dense[0], dense[1], atol=1e-4)
