"""How well scores predict rewards, estimated as outcomes come.

Before an outcome is learnt, a line from score to reward, fitted to the outcomes before it with
exponential forgetting, predicts its reward (prequential evaluation: Dawid, "Present position and
potential developments", JRSS A, 1984). The error is the expected calibration error (Naeini, Cooper
and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015): the
recent predictions in ten bins of equal size, and over the bins

    error = sum_b n_b / n |mean prediction_b - mean reward_b|

It rises when scores stop meaning what they meant, as after a bad release, and falls again as the
line follows.
"""

from __future__ import annotations

from collections import deque

import numpy as np

OUTCOMES, BINS, LEAST = 2_000, 10, 200
"""Recent outcomes that are judged, their bins, and outcomes without which nothing is said."""
KEPT = 0.5 ** (1 / 1_000)
"""Weight that an outcome keeps with each later one: half after 1,000."""


class OutcomeCalibration:
    """The running line and the recent outcomes. Not safe in threads."""

    def __init__(self) -> None:
        """Knows nothing yet."""
        self._n = self._s = self._y = self._ss = self._sy = 0.0
        self._recent: deque[tuple[float, float]] = deque(maxlen=OUTCOMES)

    def add(self, score: float, reward: float) -> None:
        """Predicts an outcome, then learns from it. Cost: about 1 microsecond."""
        if self._n:
            self._recent.append((self._predicted(score), reward))
        self._n = KEPT * self._n + 1.0
        self._s = KEPT * self._s + score
        self._y = KEPT * self._y + reward
        self._ss = KEPT * self._ss + score * score
        self._sy = KEPT * self._sy + score * reward

    def error(self) -> float | None:
        """The expected calibration error, 0 to 2; None below LEAST outcomes.

        >>> calibration = OutcomeCalibration()
        >>> for step in range(400):
        ...     calibration.add(score=step % 2, reward=step % 2)
        >>> round(calibration.error(), 2)
        0.0
        """
        if len(self._recent) < LEAST:
            return None
        pairs = np.array(self._recent)
        pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
        parts = np.array_split(pairs, BINS)
        gaps = [len(part) * abs(float((part[:, 0] - part[:, 1]).mean())) for part in parts]
        return sum(gaps) / len(pairs)

    def _predicted(self, score: float) -> float:
        mean_s, mean_y = self._s / self._n, self._y / self._n
        variance = self._ss / self._n - mean_s * mean_s
        if variance <= 1e-12:
            return mean_y
        slope = (self._sy / self._n - mean_s * mean_y) / variance
        return min(1.0, max(-1.0, mean_y + slope * (score - mean_s)))
