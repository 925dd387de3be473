"""Exploration: a policy draws with the propensities that it states."""

from __future__ import annotations

import time
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.arrays import Float64
from penchant.domain.exploration import (
    DAY_US,
    Drawn,
    epsilon_greedy,
    explored_lately,
    plackett_luce,
    thompson,
)
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import Event, Exposure, Window
from penchant.domain.window import empty_record, entry, insert

SCORES = np.array([1.0, 0.4, -0.3, 0.9])
DRAWS = 20_000

scores = st.lists(st.floats(-50, 50) | st.just(-np.inf), min_size=1, max_size=8).map(
    lambda values: np.array(values, np.float64)
)
seeds = st.integers(0, 2**32)


def draw(policy: str, values: Float64, k: int, rng: np.random.Generator) -> Drawn:
    if policy == "plackett_luce":
        return plackett_luce(values, k, 0.7, rng)
    if policy == "epsilon_greedy":
        return epsilon_greedy(values, k, 0.3, rng)
    return thompson(values + rng.standard_normal((64, len(values))), k)


def chance_by_definition(policy: str, order: tuple[int, ...]) -> float:
    """The probability of a list, place by place."""
    left, chance = list(range(len(SCORES))), 1.0
    for item in order:
        if policy == "plackett_luce":
            weights = np.exp(SCORES[left] / 0.7)
            chance *= float(weights[left.index(item)] / weights.sum())
        else:
            best = max(left, key=lambda one: SCORES[one])
            chance *= 0.3 / len(left) + 0.7 * (item == best)
        left.remove(item)
    return chance


@pytest.mark.parametrize("policy", ["plackett_luce", "epsilon_greedy"])
def test_lists_are_drawn_as_often_as_their_propensities_say(policy: str) -> None:
    rng = np.random.default_rng(1)
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(DRAWS):
        drawn = draw(policy, SCORES, 3, rng)
        order = tuple(drawn.places.tolist())
        seen[order] += 1
        assert float(drawn.propensities.prod()) == pytest.approx(
            chance_by_definition(policy, order), rel=1e-9
        )
    for order in permutations(range(len(SCORES)), 3):
        chance = chance_by_definition(policy, order)
        error = np.sqrt(chance * (1 - chance) / DRAWS)
        assert abs(seen[order] / DRAWS - chance) < 5 * error + 1e-4


@pytest.mark.parametrize("policy", ["plackett_luce", "epsilon_greedy", "thompson"])
@given(values=scores, k=st.integers(1, 10), seed=seeds)
def test_each_item_is_shown_once_and_what_is_left_out_never(
    policy: str, values: Float64, k: int, seed: int
) -> None:
    drawn = draw(policy, values, k, np.random.default_rng(seed))
    allowed = set(np.flatnonzero(np.isfinite(values)).tolist())
    places = drawn.places.tolist()
    assert len(places) == len(set(places)) == min(k, len(allowed))
    assert set(places) <= allowed
    assert ((drawn.propensities > 0) & (drawn.propensities <= 1)).all()


@pytest.mark.parametrize("policy", ["plackett_luce", "epsilon_greedy", "thompson"])
@given(values=scores, seed=seeds)
def test_the_same_seed_draws_the_same_list(policy: str, values: Float64, seed: int) -> None:
    one, two = (draw(policy, values, 5, np.random.default_rng(seed)) for _ in range(2))
    assert one.places.tolist() == two.places.tolist()
    assert one.propensities.tolist() == two.propensities.tolist()


@given(values=scores, seed=seeds)
def test_no_exploration_is_the_best_with_certainty(values: Float64, seed: int) -> None:
    rng = np.random.default_rng(seed)
    allowed = int(np.isfinite(values).sum())
    best = np.argsort(-values, kind="stable")[:allowed].tolist()
    greedy = epsilon_greedy(values, 10, 0.0, rng)
    assert greedy.places.tolist() == best
    assert (greedy.propensities == 1).all()
    sure = thompson(np.tile(values, (256, 1)), 10)
    assert sure.places.tolist() == best
    assert (sure.propensities == 1).all()


def test_scores_far_apart_neither_overflow_nor_vanish() -> None:
    drawn = plackett_luce(np.array([1e6, -1e6, 0.0]), 3, 1e-3, np.random.default_rng(0))
    assert drawn.places.tolist() == [0, 2, 1]
    assert np.isfinite(drawn.propensities).all()
    assert (drawn.propensities > 0).all()


def test_thompsons_estimate_nears_the_truth_of_two_items() -> None:
    rng = np.random.default_rng(3)
    draws = np.array([0.5, 0.0]) + rng.standard_normal((20_000, 2))
    drawn = thompson(draws, 1)
    truth = 0.6381631950841185  # Phi(0.5 / sqrt 2): the chance that the first draw is higher.
    expected = truth if drawn.places[0] == 0 else 1 - truth
    assert drawn.propensities[0] == pytest.approx(expected, abs=0.02)


def shown(*impressions: tuple[float, float, bool]) -> Window:
    """A window of events by age in days, propensity, and whether each is an impression."""
    entries = [
        entry(
            Event(
                f"e{number}",
                "u",
                "i",
                "s",
                None,
                round(10 * DAY_US - days * DAY_US),
                exposure=Exposure(1, chance),
            ),
            0,
            ResolvedSignal(-0.1, 0.2, 60.0 if waits else None),
        )
        for number, (days, chance, waits) in enumerate(impressions)
    ]
    return insert(empty_record(), entries, 64).window


def test_the_budget_counts_explored_impressions_of_the_last_day() -> None:
    window = shown(
        (0.5, 0.2, True),
        (0.9, 0.99, True),
        (0.1, 1.0, True),  # Shown with certainty.
        (0.1, 0.0, True),  # Without a propensity.
        (0.1, 0.5, False),  # Not an impression.
        (1.5, 0.5, True),  # Too long ago.
    )
    assert explored_lately(window, 10 * DAY_US) == 2
    assert explored_lately(shown(), 10 * DAY_US) == 0


@pytest.mark.parametrize("policy", ["plackett_luce", "epsilon_greedy"])
def test_a_list_of_1000_costs_little_more_per_place_than_one_of_100(policy: str) -> None:
    values = np.random.default_rng(0).normal(size=1_000)

    def seconds(k: int) -> float:
        durations = []
        for seed in range(5):
            started = time.thread_time()  # That of others on the machine counts for nothing.
            draw(policy, values, k, np.random.default_rng(seed))
            durations.append(time.thread_time() - started)
        return min(durations)

    assert seconds(1_000) < 40 * seconds(100)  # A cubic cost would be 1,000 times as much.
