"""The position-based model finds the true parameters of simulated readers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.optimize import check_grad

from penchant.calibration import click_model
from penchant.calibration.click_model import fit_click_model
from penchant.calibration.shown_ads import ShownAds
from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError

EXAMINATION = np.array([1.0, 0.55, 0.3])
SLOPE, INTERCEPT = 1.4, -2.0


def simulated(count: int, seed: int, examination: Float64 = EXAMINATION) -> ShownAds:
    random = np.random.default_rng(seed)
    position = random.integers(1, len(examination) + 1, count)
    # Better ads go to better places, as in a ranking, so places and scores are correlated.
    score = random.normal(0.5 - 0.4 * position, 1.0)
    wish = 1 / (1 + np.exp(-(SLOPE * score + INTERCEPT)))
    clicked = random.random(count) < examination[position - 1] * wish
    return ShownAds(score, position, clicked.astype(np.float64), Counter())


def test_the_gradient_is_that_of_the_loss() -> None:
    shown = simulated(300, 1)
    problem = click_model._Problem(shown.score, shown.position - 1, shown.clicked, 3)
    weights = np.array([0.7, -1.0, -0.4, -0.9])
    error = check_grad(
        lambda w: problem.loss(w)[0], lambda w: problem.loss(w)[1], weights, epsilon=1e-6
    )
    assert error < 1e-3


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = np.zeros(4)
    runs = 60
    for seed in range(runs):
        found = fit_click_model(simulated(4000, seed))
        truth = (SLOPE, INTERCEPT, *EXAMINATION[1:])
        intervals = (
            found.slope_interval,
            found.intercept_interval,
            *found.examination_intervals[1:],
        )
        held += [low <= true <= high for true, (low, high) in zip(truth, intervals, strict=True)]
    assert (held / runs >= 0.85).all(), held / runs
    assert held.mean() / runs >= 0.91


def test_with_many_impressions_the_estimates_come_close() -> None:
    found = fit_click_model(simulated(60_000, 5))
    assert found.examination == pytest.approx(EXAMINATION, abs=0.04)
    assert (found.slope, found.intercept) == pytest.approx((SLOPE, INTERCEPT), abs=0.12)


def test_a_place_without_a_click_is_finite_and_its_interval_wide() -> None:
    shown = simulated(2000, 2)
    clicked = np.where(shown.position == 3, 0.0, shown.clicked)
    found = fit_click_model(ShownAds(shown.score, shown.position, clicked, Counter()))
    assert 0 < found.examination[2] < 0.2
    low, high = found.examination_intervals[2]
    assert high / low > 5


def test_the_unit_of_the_score_does_not_matter() -> None:
    shown = simulated(5000, 3)
    scaled = ShownAds(100 * shown.score + 7, shown.position, shown.clicked, Counter())
    one, other = fit_click_model(shown), fit_click_model(scaled)
    assert 100 * other.slope == pytest.approx(one.slope, rel=1e-3)
    chance = one.probability(shown.score, shown.position)
    assert other.probability(scaled.score, scaled.position) == pytest.approx(chance, rel=1e-3)


def test_too_few_clicks_are_refused_with_what_is_needed() -> None:
    shown = simulated(100, 4)
    few = ShownAds(shown.score, shown.position, np.zeros(100), Counter())
    with pytest.raises(ConfigError, match="0 of 100 were clicked, expected at least 10"):
        fit_click_model(few)
