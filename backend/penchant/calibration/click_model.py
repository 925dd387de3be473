"""The position-based model of clicks, fitted by maximum likelihood.

    P(click | score, place k) = e_k * sigmoid(a * score + b),   e_1 = 1

A click needs an examination and a wish: Richardson, Dominowska and Ragno, "Predicting clicks", WWW
2007, equation 3. The examination e_k depends on the place alone: Craswell, Zoeter, Taylor and
Ramsey, WSDM 2008, section 3.3. The wish is a sigmoid of the score (Platt 1999). Richardson et al.
fit the two by turns; here L-BFGS finds all parameters at once on the exact gradient, since the
product leaves no hidden variable. e_k is exp(theta_k), relative to the first place, and above 1 if
users look at a later place more.

A normal prior of standard deviation 3 on each theta_k and on the slope of the standardised score
keeps the parameters of places without a click finite; it weighs less than one click.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from penchant.calibration.shown_ads import ShownAds
from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError

PRIOR_SD = 3.0
"""Standard deviation of the prior."""
LEAST_CLICKS = 10
"""Fewest clicks to fit to."""
_CERTAIN = 1 - 1e-9
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class ClickModel:
    """Parameters, each with a 95 % interval from the expected information (Wald)."""

    slope: float
    """Slope a of the log-odds of the wish, per unit of the score."""
    intercept: float
    """Intercept b of the log-odds of the wish."""
    examination: Float64
    """Examination e_k of each place relative to the first, shape (places,)."""
    slope_interval: tuple[float, float]
    intercept_interval: tuple[float, float]
    examination_intervals: list[tuple[float, float]]
    log_likelihood: float

    @classmethod
    def given(cls, slope: float, intercept: float, examination: Sequence[float]) -> ClickModel:
        """Makes a model of known parameters, with intervals of no width."""
        looks = np.asarray(examination, np.float64)
        own = [(float(one), float(one)) for one in looks]
        return cls(slope, intercept, looks, (slope,) * 2, (intercept,) * 2, own, math.nan)

    def probability(self, score: Float64, position: Int64) -> Float64:
        """Computes the probability of a click on each impression.

        Args:
            score: scores, shape (n,).
            position: places from 1, shape (n,); a place beyond the last counts as the last.

        Returns:
            Shape (n,), at most 1.
        """
        place = np.minimum(position, len(self.examination)) - 1
        wish = _sigmoid(self.slope * score + self.intercept)
        return np.asarray(np.minimum(1.0, self.examination[place] * wish), np.float64)


def fit_click_model(shown: ShownAds, *, by_position: bool = True) -> ClickModel:
    """Fits a model by maximum likelihood.

    Args:
        shown: the impressions.
        by_position: whether places differ; if not, the model is Platt's sigmoid alone.

    Raises:
        ConfigError: fewer than 10 impressions were clicked, or none at the first place, or all.

    Cost: some dozens of passes over the impressions.
    """
    position = shown.position if by_position else np.ones_like(shown.position)
    places, clicks = int(position.max()), int(shown.clicked.sum())
    if clicks < LEAST_CLICKS or clicks == len(shown.clicked):
        raise ConfigError(
            f"impressions: {clicks} of {len(shown.clicked)} were clicked, expected at least "
            f"{LEAST_CLICKS} that were and one that was not"
        )
    if not shown.clicked[position == 1].any():
        raise ConfigError(
            "impressions: none at place 1 was clicked; other places are relative to it"
        )
    mean, scale = float(shown.score.mean()), float(shown.score.std()) or 1.0
    problem = _Problem((shown.score - mean) / scale, position - 1, shown.clicked, places)
    rate = clicks / len(shown.clicked)
    start = np.zeros(places + 1)
    start[1] = np.log(rate / (1 - rate))
    found = minimize(problem.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    weights = np.asarray(found.x, np.float64)
    covariance = np.linalg.inv(problem.information(weights))
    # Back from the standardised score: linear in the weights.
    back = np.eye(places + 1)
    back[0, 0], back[1, 0] = 1 / scale, -mean / scale
    natural, spread = back @ weights, np.sqrt(np.diag(back @ covariance @ back.T))
    low, high = natural - _Z95 * spread, natural + _Z95 * spread
    return ClickModel(
        slope=float(natural[0]),
        intercept=float(natural[1]),
        examination=np.concatenate([[1.0], np.exp(natural[2:])]),
        slope_interval=(float(low[0]), float(high[0])),
        intercept_interval=(float(low[1]), float(high[1])),
        examination_intervals=[
            (1.0, 1.0),
            *zip(np.exp(low[2:]).tolist(), np.exp(high[2:]).tolist(), strict=True),
        ],
        log_likelihood=-float(problem.loss(weights)[0]),
    )


@dataclass(frozen=True, slots=True)
class _Problem:
    """The posterior of the weights (slope, intercept, theta_k of places 2 and later)."""

    score: Float64
    place: Int64
    """Places from 0, shape (n,)."""
    clicked: Float64
    places: int

    def _parts(self, weights: Float64) -> tuple[Float64, Float64]:
        """Computes the wish and the probability of a click, each of shape (n,)."""
        wish = _sigmoid(weights[0] * self.score + weights[1])
        looks = np.exp(np.concatenate([[0.0], weights[2:]]))[self.place]
        return wish, np.minimum(looks * wish, _CERTAIN)

    def loss(self, weights: Float64) -> tuple[float, Float64]:
        """Computes the negative log-posterior and its gradient."""
        wish, chance = self._parts(weights)
        likelihood = self.clicked @ np.log(chance) + (1 - self.clicked) @ np.log1p(-chance)
        surprise = (self.clicked - chance) / (1 - chance)  # by the log of the probability
        by_wish = surprise * (1 - wish)  # by the log-odds of the wish
        by_place = np.bincount(self.place, surprise, minlength=self.places)[1:]
        prior = self._prior(weights)
        gradient = np.concatenate([[by_wish @ self.score, by_wish.sum()], by_place]) - prior
        return float(0.5 * (prior @ weights) - likelihood), -gradient

    def information(self, weights: Float64) -> Float64:
        """Computes the expected information, prior included, shape (weights, weights)."""
        wish, chance = self._parts(weights)
        slopes = np.zeros((len(chance), self.places + 1))
        slopes[:, 0], slopes[:, 1] = (1 - wish) * self.score, 1 - wish
        later = np.flatnonzero(self.place)
        slopes[later, self.place[later] + 1] = 1.0
        precision = self._prior(np.ones_like(weights))
        seen: Float64 = slopes.T @ (slopes * (chance / (1 - chance))[:, None])
        return seen + np.diag(precision)

    def _prior(self, weights: Float64) -> Float64:
        pulled: Float64 = weights / PRIOR_SD**2
        pulled[1] = 0.0  # The intercept is free.
        return pulled


def _sigmoid(log_odds: Float64) -> Float64:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))), np.float64)
