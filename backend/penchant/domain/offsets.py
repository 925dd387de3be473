"""The offset b_i of an item: its log-odds of engagement over all users, from decayed counters.

    b_i = log((p_i + c) / (r e_i + c)),    r = sum p / (sum e + a N),    c = c_0 + 0.1 r a

p_i is the decayed sum of positive rewards, e_i the decayed number of impressions, both counted once
for each user (`penchant.domain.user_contribution`), and a the number of impressions that every item
is credited with. r e_i is what the average item would have earned from the same impressions. c is
the prior of a gamma-Poisson model, in positive rewards: an item's rate moves from the average to
its own as its rewards and those expected of it outgrow c, so that few events say little, however
many items there are. If no impressions are logged, all items count as shown equally often, and
b_i = log(1 + p_i / c). Either way, an item without counters has the offset 0.
"""

from __future__ import annotations

import math

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import Counters, Vector

SMOOTHING = 0.1
"""Share of the credited impressions whose rewards count as prior, besides `PRIOR_POSITIVES`."""

PRIOR_POSITIVES = 3.0
"""c_0: least prior, in positive rewards: one like among any number of items adds log(4 / 3)."""


def log_odds(positives: Float64, impressions: Float64, prior_impressions: float) -> Vector:
    """The offsets of all items, shape (n,), from p and e of all items, shape (n,) each.

    >>> log_odds(np.array([3.0, 1.0, 0.0, 0.0]), np.zeros(4), 50.0).astype(float).round(2).tolist()
    [0.68, 0.28, 0.0, 0.0]
    """
    rate = mean_rate(positives, impressions, prior_impressions)
    return log_odds_against(rate, positives, impressions, prior_impressions)


def mean_rate(positives: Float64, impressions: Float64, prior_impressions: float) -> float:
    """The average r over all items; 0 if nothing was ever liked."""
    shown = float(impressions.sum()) + prior_impressions * len(positives)
    return float(positives.sum()) / shown if len(positives) else 0.0


def log_odds_against(
    rate: float, positives: Float64, impressions: Float64, prior_impressions: float
) -> Vector:
    """The offsets of some items relative to a given average r, shape (n,)."""
    if rate <= 0:
        return np.zeros(len(positives), np.float32)
    prior = PRIOR_POSITIVES + SMOOTHING * prior_impressions * rate
    odds = (positives + prior) / (rate * impressions + prior)
    return np.log(odds).astype(np.float32)


def decay(elapsed_us: float, half_life_s: float) -> float:
    """The factor by which a counter decays in `elapsed_us` microseconds.

    >>> decay(10e6, half_life_s=5.0)
    0.25
    """
    return math.exp2(-elapsed_us / 1e6 / half_life_s)


def count(
    counters: Counters, positive: float, impressions: float, at_us: int, half_life_s: float
) -> Counters:
    """The counters after one more part as of `at_us`; a late one counts as if it had been on time.

    >>> count(Counters(4.0, 0.0, 0), 1.0, 0.0, at_us=10_000_000, half_life_s=10.0)
    Counters(positives=3.0, impressions=0.0, as_of_us=10000000)
    """
    if at_us >= counters.as_of_us:  # Nearly always; the factor of the other branch is then 1.
        old = decay(at_us - counters.as_of_us, half_life_s)
        return Counters(
            counters.positives * old + positive, counters.impressions * old + impressions, at_us
        )
    new = decay(counters.as_of_us - at_us, half_life_s)
    return Counters(
        counters.positives + positive * new,
        counters.impressions + impressions * new,
        counters.as_of_us,
    )


def positive_of(signal: ResolvedSignal) -> float:
    """The positive reward that an event counts for its item; an impression counts none.

    >>> positive_of(ResolvedSignal(0.5, 2.0, wait_s=None))
    1.0
    """
    return 0.0 if signal.wait_s is not None else signal.weight * max(0.0, signal.reward)
