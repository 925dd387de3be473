"""Whether a log can carry the answer: measures of the weights, and warnings in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64

MIN_ESS_SHARE = 0.05
"""Below this share of the rows, few rows decide."""
MIN_ESS = 100.0
MIN_POSITIVES = 50
"""Rewards that are not zero; fewer make the normal approximation of intervals doubtful."""
MAX_TOP_SHARE = 0.5
DETERMINISTIC = 0.999
_SIGMAS = 3.0


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Measures of one log under one candidate."""

    rows: int
    effective_sample_size: float
    """(sum w)^2 / sum w^2, in [0, rows] (L. Kish, "Survey Sampling", 1965)."""
    top_percent_share: float
    """Share of all weight in the largest 1 % of the weights."""
    largest_weight: float
    mean_weight: float
    """1 in expectation, if the propensities are right and cover the candidate."""
    mean_weight_error: float
    """Its standard error."""
    nonzero_rewards: int
    """Nonzero rewards on rows where the candidate has mass."""
    deterministic_share: float
    """Share of rows that the logging policy was certain of."""
    unseen_mass: float
    """The candidate's mean probability of actions that the log never shows."""
    left_out: int
    """Rows without a usable propensity, or unreadable."""


def effective_sample_size(weight: Float64) -> float:
    """How many unweighted rows would carry as much: (sum w)^2 / sum w^2.

    >>> effective_sample_size(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def top_share(weight: Float64, fraction: float = 0.01) -> float:
    """Share of the weight in the largest `fraction` of the rows, at least one row.

    >>> top_share(np.array([3.0, 1.0]))
    0.75
    """
    total = float(weight.sum())
    if not total:
        return 0.0
    count = max(1, round(fraction * len(weight)))
    return float(np.partition(weight, -count)[-count:].sum()) / total


def diagnose(
    reward: Float64, weight: Float64, propensity: Float64, *, unseen_mass: float, left_out: int
) -> Diagnostics:
    """Measures the log; `weight` is not clipped."""
    rows = len(weight)
    return Diagnostics(
        rows=rows,
        effective_sample_size=effective_sample_size(weight),
        top_percent_share=top_share(weight),
        largest_weight=float(weight.max()),
        mean_weight=float(weight.mean()),
        mean_weight_error=float(weight.std()) / rows**0.5,
        nonzero_rewards=int(np.count_nonzero(reward * weight)),
        deterministic_share=float(np.mean(propensity >= DETERMINISTIC)),
        unseen_mass=unseen_mass,
        left_out=left_out,
    )


def warnings_of(seen: Diagnostics) -> list[str]:
    """Why the log can't support the answer, a sentence each; empty: nothing was found."""
    found = []
    share = seen.effective_sample_size / seen.rows
    if share < MIN_ESS_SHARE or seen.effective_sample_size < MIN_ESS:
        found.append(
            f"The effective sample size is {seen.effective_sample_size:.0f} of {seen.rows} rows: "
            "few impressions decide. Log more, or judge a candidate nearer to the logging policy."
        )
    if seen.top_percent_share > MAX_TOP_SHARE:
        found.append(
            f"The largest 1 % of the weights hold {seen.top_percent_share:.0%} of all weight: the "
            "interval may be too narrow. Look at SNIPS and switch-DR, or use --clip."
        )
    if seen.deterministic_share > 0.5:
        found.append(
            f"The logging policy was certain of {seen.deterministic_share:.0%} of its choices: "
            "what it did not show can't be judged. Log with exploration on."
        )
    if seen.nonzero_rewards < MIN_POSITIVES:
        found.append(
            f"Only {seen.nonzero_rewards} rewards count under the candidate: fewer than "
            f"{MIN_POSITIVES} make the intervals doubtful."
        )
    if abs(seen.mean_weight - 1.0) > max(0.05, _SIGMAS * seen.mean_weight_error):
        found.append(
            f"The weights' mean is {seen.mean_weight:.3f}, expected 1: the logged propensities are "
            "wrong, or leave out actions that the candidate chooses. IPS can't be trusted."
        )
    if seen.unseen_mass > 0.001:
        found.append(
            f"{seen.unseen_mass:.1%} of the candidate's choices are actions that the log never "
            "shows: only a model can guess their rewards."
        )
    if seen.left_out:
        found.append(
            f"{seen.left_out} rows were left out: no propensity in (0, 1], no reward, or "
            "unreadable. If the candidate favours them, the value is biased."
        )
    return found
