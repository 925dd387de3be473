"""The cold-start prior: it finds a planted law, and no text gives nonsense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.cold_start import (
    ColdStartPrior,
    fit_cold_start_prior,
    flat_cold_start_prior,
    prior_counters,
)
from penchant.domain.types import Matrix

DIMENSIONS = 4


def unit_rows(count: int, seed: int = 0) -> Matrix:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSIONS))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_a_planted_law_is_found() -> None:
    law = np.array([0.5, -0.8, 0.2, 0.6, 2.0])
    texts, strange = unit_rows(20_000), unit_rows(50, seed=1)
    positives = np.expm1(texts @ law[:-1] + law[-1])
    found = fit_cold_start_prior(texts, positives, as_of_us=9)
    np.testing.assert_allclose(found.weights, law, atol=1e-2)
    expected = np.expm1(strange @ law[:-1] + law[-1])
    likes = [counters.positives for counters in prior_counters(found, strange)]
    np.testing.assert_allclose(likes, expected, rtol=0.02)
    assert {(one.impressions, one.as_of_us) for one in prior_counters(found, strange)} == {(0.0, 9)}


@given(
    positives=st.lists(st.floats(0, 1e12), min_size=1, max_size=8),
    seed=st.integers(0, 99),
)
def test_credits_are_finite_and_never_negative(positives: list[float], seed: int) -> None:
    found = fit_cold_start_prior(unit_rows(len(positives), seed), np.array(positives), 0)
    likes = np.array([one.positives for one in prior_counters(found, unit_rows(20, seed + 1))])
    assert np.isfinite(likes).all()
    assert (likes >= 0).all()


@pytest.mark.parametrize("weight", [-1e9, 1e9])
def test_even_an_absurd_law_gives_finite_credits(weight: float) -> None:
    absurd = ColdStartPrior(np.full(DIMENSIONS + 1, weight))
    likes = np.array([one.positives for one in prior_counters(absurd, unit_rows(20))])
    assert np.isfinite(likes).all()
    assert (likes >= 0).all()


def test_nothing_liked_gives_no_credit() -> None:
    found = fit_cold_start_prior(unit_rows(5), np.zeros(5), as_of_us=9)
    np.testing.assert_array_equal(found.weights, flat_cold_start_prior(DIMENSIONS).weights)
    assert {one.positives for one in prior_counters(found, unit_rows(5))} == {0.0}


def test_items_that_nobody_liked_say_nothing() -> None:
    texts, positives = unit_rows(40), np.r_[np.linspace(1, 5, 30), np.zeros(10)]
    whole, liked = (
        fit_cold_start_prior(texts, positives, 3),
        fit_cold_start_prior(texts[:30], positives[:30], 3),
    )
    np.testing.assert_array_equal(whole.weights, liked.weights)
