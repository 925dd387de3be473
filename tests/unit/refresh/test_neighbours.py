"""Neighbours from a log equal the equation pair by pair, in any order of the events."""

from __future__ import annotations

from collections import defaultdict
from math import log
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.neighbours import NEIGHBOURS, Neighbours
from penchant.logs.interactions import Interactions
from penchant.refresh.item_vectors import fit_item_vectors
from penchant.refresh.neighbour_table import SHRINKAGE, WINDOW, find_neighbours

ITEMS = 8
LISTS = st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=25), max_size=5)
"""Items that each user liked, in order."""


def found(liked: list[list[int]], items: int = ITEMS) -> Neighbours:
    user = [number for number, own in enumerate(liked) for _ in own]
    item = [one for own in liked for one in own]
    return find_neighbours(np.array(user, np.int64), np.array(item, np.int64), items)


def pair_by_pair(liked: list[list[int]]) -> dict[tuple[int, int], float]:
    """Strengths above 0, by row of the result and item."""
    counts: defaultdict[tuple[int, int], float] = defaultdict(float)
    for own in liked:
        for at, one in enumerate(own):
            if at <= WINDOW:
                counts[0, one] += 1 - at / (WINDOW + 1)
            for before in range(max(0, at - WINDOW), at):
                if own[before] != one:
                    near = 1 - (at - before) / (WINDOW + 1)
                    counts[1 + one, own[before]] += near
                    counts[1 + own[before], one] += near
    sums = [sum(counts[1 + i, j] for j in range(ITEMS)) for i in range(ITEMS)]
    totals = [sum(counts[0, j] for j in range(ITEMS)), *sums]
    powers = [one**0.75 for one in sums]
    strengths = {}
    for (row, item), count in counts.items():
        if count > 0 and powers[item] > 0:
            surprise = log(count * sum(powers) / (totals[row] * powers[item]))
            strengths[row, item] = max(0.0, surprise) * count / (count + SHRINKAGE)
    return strengths


@given(liked=LISTS)
def test_strengths_are_the_equation_pair_by_pair(liked: list[list[int]]) -> None:
    neighbours = found(liked)
    assert neighbours.shape[0] == 1 + ITEMS
    table = np.zeros((1 + ITEMS, ITEMS))
    for row, of_row in enumerate(neighbours):
        for item, strength in of_row.tolist():
            table[row, item] += strength
    expected = np.zeros_like(table)
    for place, strength in pair_by_pair(liked).items():
        expected[place] = strength
    np.testing.assert_allclose(table, expected, atol=2e-5)


@given(liked=LISTS)
def test_the_strongest_comes_first_and_among_equals_the_lowest_number(
    liked: list[list[int]],
) -> None:
    for row in found(liked):
        pairs = [(-strength, item) for item, strength in row.tolist() if strength]
        assert pairs == sorted(pairs)
        assert len({item for _, item in pairs}) == len(pairs)
        assert not row["strength"][len(pairs) :].any()


def test_a_row_keeps_the_strongest_alone() -> None:
    """Item 0 is next to 300 others; those that are next to it twice are stronger."""
    others = list(range(1, 301))
    pairs = [[0, other] for other in others] + [[0, other] for other in others[::3]]
    neighbours = found(pairs, items=301)
    assert neighbours.shape == (302, NEIGHBOURS)
    kept = neighbours[1]["item"].tolist()
    assert set(kept[:100]) == set(others[::3])
    weaker = [other for other in others if other not in others[::3]]
    assert kept[100:] == weaker[:100]


def test_the_opening_names_what_people_begin_with() -> None:
    rng = np.random.default_rng(3)
    liked = [[0, *(1 + rng.permutation(ITEMS - 1)).tolist()] for _ in range(6)]
    opening = found(liked)[0]
    assert opening["item"][0] == 0
    assert opening["strength"][0] > 0


@given(
    events=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, ITEMS - 1),
            st.sampled_from([-1.0, 0.0, 0.5, 1.0]),
            st.integers(0, 9),
        ),
        max_size=30,
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_log_does_not_matter(
    events: list[tuple[int, int, float, int]], order: Random
) -> None:
    shuffled = list(events)
    order.shuffle(shuffled)
    assert _refreshed(shuffled).tobytes() == _refreshed(events).tobytes()


def _refreshed(events: list[tuple[int, int, float, int]]) -> Neighbours:
    users, items, rewards, times = zip(*events, strict=True) if events else ((), (), (), ())
    texts = np.eye(ITEMS, dtype=np.float32)
    log_ = Interactions(
        user=np.array(users, np.int64),
        item=np.array(items, np.int64),
        reward=np.array(rewards, np.float64),
        at_us=np.array(times, np.int64),
    )
    return fit_item_vectors(log_, texts).neighbours


@pytest.mark.parametrize("liked", [[], [[]], [[2]], [[1], [1]]])
def test_a_log_without_pairs_has_no_neighbours(liked: list[list[int]]) -> None:
    neighbours = found(liked)
    assert neighbours.shape[0] == 1 + ITEMS
    assert not neighbours["strength"].any()
