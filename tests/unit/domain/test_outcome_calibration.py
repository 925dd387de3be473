"""The running estimate of how well scores predict rewards."""

from __future__ import annotations

import numpy as np

from penchant.domain.outcome_calibration import LEAST, OutcomeCalibration


def outcomes(seed: int, slope: float, base: float, count: int) -> list[tuple[float, float]]:
    """Rewards of 0 or 1 whose chance is a line of the score."""
    chance = np.random.default_rng(seed)
    scores = chance.uniform(0, 1, count)
    rewards = chance.uniform(0, 1, count) < base + slope * scores
    return list(zip(scores.tolist(), rewards.astype(float).tolist(), strict=True))


def test_scores_of_any_scale_that_predict_are_calibrated() -> None:
    for scale, shift in ((1.0, 0.0), (40.0, -3.0)):
        calibration = OutcomeCalibration()
        for score, reward in outcomes(1, slope=0.8, base=0.1, count=4_000):
            calibration.add(scale * score + shift, reward)
        error = calibration.error()
        assert error is not None
        assert error < 0.05


def test_the_error_rises_when_scores_stop_meaning_what_they_meant_and_falls_again() -> None:
    calibration, errors = OutcomeCalibration(), []
    before = outcomes(1, slope=0.8, base=0.1, count=3_000)
    after = outcomes(2, slope=-0.8, base=0.9, count=9_000)
    for score, reward in before + after:
        calibration.add(score, reward)
        errors.append(calibration.error() or 0.0)
    assert errors[len(before) - 1] < 0.05
    assert max(errors) > 3 * errors[len(before) - 1]
    assert errors[-1] < max(errors) / 2


def test_nothing_is_said_before_enough_outcomes_came() -> None:
    calibration = OutcomeCalibration()
    for step in range(LEAST):
        calibration.add(float(step), 1.0)
        assert calibration.error() is None
    calibration.add(1.0, 1.0)
    assert calibration.error() == 0
