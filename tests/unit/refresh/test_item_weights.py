"""Item weights are those of the closed form, and only of what was liked."""

from __future__ import annotations

import numpy as np

from penchant.evaluation.baselines.ease import EaseWindowed
from penchant.refresh.item_weights import RIDGE, find_item_weights
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
