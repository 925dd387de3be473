"""The chance that a click leads to a sale, where sales come late.

A click without a sale is one that leads to none, or one whose sale is still to come; the younger,
the likelier the second. Chapelle, "Modeling delayed feedback in display advertising", KDD 2014,
takes both apart by a model of the delay (equations 7 to 11):

    P(sale | click on ad i)     = p_i = sigmoid(b + u_i)
    P(delay = d | a sale comes) = l_i exp(-l_i d),   l_i = exp(c + v_i)
    likelihood of a sale after d seconds:        p_i l_i exp(-l_i d)
    likelihood of no sale e seconds after:       1 - p_i + p_i exp(-l_i e)

Where Chapelle's features are those of user, page and ad, these are the ads alone: u_i and v_i are
an ad's own parts, with normal priors of standard deviation 1 and 0.5, so that an ad with few clicks
is taken for one like the others. L-BFGS finds all of it at once on the exact gradient.

The value of a sale is the mean over an ad's sold clicks, with `PRIOR_SALES` sales of the mean over
all ads added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from penchant.calibration.clicked_ads import ClickedAds
from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError

LEAST_SALES = 10
"""Fewest clicks with a sale to fit to."""
CHANCE_SD, DELAY_SD = 1.0, 0.5
"""Standard deviations of an ad's own parts: of the log-odds of a sale, of the delay's log-rate."""
PRIOR_SALES = 1.0
_SHORTEST_S = 1.0
_SURE = 1e-12


@dataclass(frozen=True, slots=True)
class SaleModel:
    """Chances, delays and values of sales by ad."""

    chance: dict[str, float]
    """Probability that a click on an ad leads to a sale, sooner or later."""
    mean_delay_s: dict[str, float]
    """Mean time from a click to its sale."""
    value: dict[str, float]
    """Mean value of the sales after one click that has any, in units of the currency."""
    any_chance: float
    """The chance for an ad without clicks."""
    any_value: float
    """The value for an ad without sales."""
    clicks: int
    sales: int
    """Clicks with a sale so far."""


def fit_sales(clicked: ClickedAds) -> SaleModel:
    """Fits the model by its maximum a posteriori.

    Args:
        clicked: the clicks.

    Raises:
        ConfigError: fewer than 10 clicks have led to a sale so far.

    Cost: some dozens of passes over the clicks.
    """
    sales = int(clicked.converted.sum())
    if sales < LEAST_SALES:
        raise ConfigError(
            f"conversions: {sales} of {len(clicked.converted)} clicks led to a sale, expected at "
            f"least {LEAST_SALES}"
        )
    sold = clicked.converted > 0
    unit_s = max(float(clicked.elapsed_s[sold].mean()), _SHORTEST_S)
    problem = _Delays(clicked, np.maximum(clicked.elapsed_s, _SHORTEST_S) / unit_s)
    ads = len(clicked.items)
    start = np.zeros(2 + 2 * ads)
    rate = min(sales / len(sold), 0.95)
    start[0] = math.log(rate / (1 - rate))
    found = minimize(problem.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    weights = np.asarray(found.x, np.float64)
    chance, log_rate = problem.by_ad(weights)
    mean_value = float(clicked.value[sold].mean())
    sums = np.bincount(clicked.item, clicked.value, minlength=ads)
    counts = np.bincount(clicked.item, clicked.converted, minlength=ads)
    values = (sums + PRIOR_SALES * mean_value) / (counts + PRIOR_SALES)
    return SaleModel(
        chance=dict(zip(clicked.items, chance.tolist(), strict=True)),
        mean_delay_s=dict(zip(clicked.items, (unit_s * np.exp(-log_rate)).tolist(), strict=True)),
        value=dict(zip(clicked.items, values.tolist(), strict=True)),
        any_chance=float(_sigmoid(weights[:1])[0]),
        any_value=mean_value,
        clicks=len(sold),
        sales=sales,
    )


@dataclass(frozen=True, slots=True)
class _Delays:
    """The posterior of the weights (b, c, u of each ad, v of each ad)."""

    clicked: ClickedAds
    elapsed: Float64
    """In units of the mean delay seen, shape (n,)."""

    def by_ad(self, weights: Float64) -> tuple[Float64, Float64]:
        """The chance of a sale, and the logarithm of the delay's rate, each of shape (ads,)."""
        ads = len(self.clicked.items)
        return _sigmoid(weights[0] + weights[2 : 2 + ads]), weights[1] + weights[2 + ads :]

    def loss(self, weights: Float64) -> tuple[float, Float64]:
        """The negative log-posterior and its gradient."""
        ads, item, sold = len(self.clicked.items), self.clicked.item, self.clicked.converted
        by_ad, log_rate_by_ad = self.by_ad(weights)
        chance, log_rate = by_ad[item], np.clip(log_rate_by_ad[item], -30, 30)
        hazard = np.exp(log_rate) * self.elapsed
        late = np.exp(-hazard)
        none_yet = np.maximum(1 - chance + chance * late, _SURE)
        likelihood = sold * (np.log(np.maximum(chance, _SURE)) + log_rate - hazard)
        likelihood += (1 - sold) * np.log(none_yet)
        odds = chance * (1 - chance)
        by_odds = sold * (1 - chance) - (1 - sold) * odds * (1 - late) / none_yet
        by_rate = sold * (1 - hazard) - (1 - sold) * chance * late * hazard / none_yet
        own = weights[2:] / np.repeat([CHANCE_SD**2, DELAY_SD**2], ads)
        gradient = np.concatenate(
            [
                [by_odds.sum(), by_rate.sum()],
                np.bincount(item, by_odds, minlength=ads),
                np.bincount(item, by_rate, minlength=ads),
            ]
        )
        gradient[2:] -= own
        return float(0.5 * (own @ weights[2:]) - likelihood.sum()), -gradient


def _sigmoid(log_odds: Float64) -> Float64:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))), np.float64)
