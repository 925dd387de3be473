"""Exact search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from penchant.catalog.search import top_k
from penchant.domain.types import Vector

SCORES = npst.arrays(
    np.float32,
    st.integers(0, 60),
    elements=st.sampled_from([-np.inf, -2.0, -0.5, 0.0, 0.5, 0.75, 1.0, 3.0])
    | st.floats(-10, 10, width=32),
)


@given(scores=SCORES, k=st.integers(1, 70))
def test_the_best_k_are_those_of_a_full_sort(scores: Vector, k: int) -> None:
    places = [place for place in range(len(scores)) if scores[place] > -np.inf]
    expected = sorted(places, key=lambda place: (-scores[place], place))[:k]
    assert top_k(scores, k).tolist() == expected


@pytest.mark.parametrize(("count", "k"), [(257, 256), (1000, 10), (5000, 3), (70_000, 200)])
@pytest.mark.parametrize("values", [3, 1_000_000])
def test_among_many_the_best_k_are_those_of_a_full_sort(count: int, k: int, values: int) -> None:
    scores = np.random.default_rng(count + k).integers(0, values, count).astype(np.float32)
    scores[::7] = -np.inf
    expected = np.argsort(-scores, kind="stable")[:k]
    assert top_k(scores, k).tolist() == expected[scores[expected] > -np.inf].tolist()


def test_where_all_are_left_out_nothing_is_found() -> None:
    assert top_k(np.full(100, -np.inf, np.float32), 3).tolist() == []
    assert top_k(np.full(9000, -np.inf, np.float32), 3).tolist() == []
    assert top_k(np.empty(0, np.float32), 3).tolist() == []
