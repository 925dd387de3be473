"""Transitions: the closed form, the order of likes, and logs that have none."""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.types import Rows
from penchant.refresh.transitions import (
    BEFORE,
    HALF_LIFE,
    RIDGE,
    SHRINKAGE,
    find_successors,
    find_transitions,
)

ITEMS = 12


def histories(seed: int = 0, users: int = 40, likes: int = 9) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), likes)
    return user, rng.integers(0, ITEMS, users * likes)


def dense(user: Rows, item: Rows) -> Float64:
    """The equation of the module, word for word."""
    before, following = [], []
    for place in range(len(item)):
        own = [at for at in range(max(0, place - BEFORE), place) if user[at] == user[place]]
        if not own:
            continue
        row, last = np.zeros(ITEMS), max(own)
        for at in own:
            row[item[at]] += 2.0 ** ((at - last) / HALF_LIFE)
        before.append(row / row.sum())
        following.append(np.eye(ITEMS)[item[place]])
    x, y = np.array(before), np.array(following)
    gram = x.T @ x
    ridge = RIDGE * np.diagonal(gram)[np.diagonal(gram) > 0].mean()
    table: Float64 = np.linalg.solve(gram + ridge * np.eye(ITEMS), x.T @ y)
    np.fill_diagonal(table, 0.0)
    return table


def test_the_table_is_the_closed_form() -> None:
    user, item = histories()
    table = find_transitions(user, item, ITEMS)
    found = np.zeros((ITEMS, ITEMS))
    for number in range(ITEMS):
        np.add.at(found[number], table["item"][1 + number], table["strength"][1 + number])
    np.testing.assert_allclose(found, dense(user, item), atol=1e-6)
    assert not table["strength"][0].any()


def test_a_successor_is_as_strong_as_its_chance() -> None:
    user, item = np.repeat(np.arange(4), 3), np.array([3, 7, 5, 3, 7, 7, 3, 8, 3, 9, 3, 7])
    rows = find_successors(user, item, ITEMS)
    assert rows.shape == (1 + ITEMS, 2)
    assert rows[1 + 3]["item"].tolist() == [7, 8]
    np.testing.assert_allclose(rows[1 + 3]["strength"], np.array([3, 1]) / (4 + SHRINKAGE))
    assert not rows[0]["strength"].any()
    assert not find_successors(user[:1], item[:1], ITEMS).size


def test_what_follows_is_told_from_what_goes_before() -> None:
    user, item = np.repeat(np.arange(30), 2), np.tile([3, 7], 30)
    table = find_transitions(user, item, ITEMS)

    def strength(one: int, other: int) -> float:
        row = table[1 + one]
        return float(row["strength"][row["item"] == other].sum())

    assert strength(3, 7) > 0
    assert strength(7, 3) == 0


def test_the_order_of_the_users_makes_no_difference() -> None:
    user, item = histories()
    other = (user + 17) % 40
    order = np.argsort(other, kind="stable")
    one = find_transitions(user, item, ITEMS)
    same = find_transitions(other[order], item[order], ITEMS)
    for number in range(1, 1 + ITEMS):
        by_item = [np.argsort(table["item"][number]) for table in (one, same)]
        np.testing.assert_allclose(
            one["strength"][number][by_item[0]], same["strength"][number][by_item[1]], atol=1e-6
        )


def test_a_log_in_which_nothing_follows_anything_has_no_transitions() -> None:
    nothing = np.empty(0, np.int64)
    assert len(find_transitions(nothing, nothing, ITEMS)) == 0
    assert len(find_transitions(np.arange(5), np.arange(5), ITEMS)) == 0
    assert len(find_transitions(np.zeros(3, np.int64), np.zeros(3, np.int64), ITEMS)) == 0
