"""Diversity: one setting between the best list and the most varied one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.diversity import diversify
from penchant.domain.types import Matrix, Vector


@st.composite
def pools(draw: st.DrawFn) -> tuple[Matrix, Vector]:
    n = draw(st.integers(0, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    vectors = rng.standard_normal((n, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = -np.sort(-rng.standard_normal(n).astype(np.float32))
    return vectors, scores


@given(pool=pools(), k=st.integers(1, 10), diversity=st.floats(0, 1))
def test_the_list_has_k_distinct_items_and_begins_with_the_best(
    pool: tuple[Matrix, Vector], k: int, diversity: float
) -> None:
    chosen = diversify(*pool, k, diversity).tolist()
    assert len(chosen) == len(set(chosen)) == min(k, len(pool[1]))
    if chosen and diversity < 1:
        assert chosen[0] == 0


@given(pool=pools(), k=st.integers(1, 10))
def test_without_diversity_the_order_is_the_scores(pool: tuple[Matrix, Vector], k: int) -> None:
    assert diversify(*pool, k, 0.0).tolist() == list(range(min(k, len(pool[1]))))


def test_a_twin_of_the_best_gives_way_to_something_else() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = np.array([1.0, 0.9, 0.2], np.float32)
    assert diversify(vectors, scores, 2, 0.1).tolist() == [0, 1]
    assert diversify(vectors, scores, 2, 0.8).tolist() == [0, 2]


def mean_likeness(vectors: Matrix) -> float:
    return float((vectors @ vectors.T).mean())


def test_more_diversity_makes_lists_less_alike_on_average() -> None:
    rng = np.random.default_rng(5)
    found = []
    for diversity in (0.0, 0.3, 0.6, 0.9):
        likeness = []
        for _ in range(50):
            vectors = rng.standard_normal((100, 8)).astype(np.float32)
            vectors += 2 * np.eye(8, dtype=np.float32)[0]
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            order = np.argsort(-vectors[:, 0])
            chosen = diversify(vectors[order], vectors[order, 0], 10, diversity)
            likeness.append(mean_likeness(vectors[order][chosen]))
        found.append(np.mean(likeness))
    assert found == sorted(found, reverse=True)
