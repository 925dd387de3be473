"""Diagnoses whether a log supports an estimate: measures of the weights, and warnings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64

MIN_ESS_SHARE = 0.05
"""Smallest effective sample size without a warning, as a share of the rows."""
MIN_ESS = 100.0
"""Smallest effective sample size without a warning, in rows."""
MIN_POSITIVES = 50
"""Fewest nonzero rewards for which the normal approximation of the intervals is trusted."""
MAX_TOP_SHARE = 0.5
"""Largest share of all weight in the top 1 % of the weights without a warning."""
DETERMINISTIC = 0.999
"""Propensity from which the logging policy counts as certain."""
_SIGMAS = 3.0


@dataclass(frozen=True, slots=True)
class WeightDiagnostics:
    """Measures of the weights of one candidate on one log."""

    rows: int
    """Impressions of the log."""
    effective_sample_size: float
    """(sum w)^2 / sum w^2, in [0, rows] (L. Kish, "Survey Sampling", 1965)."""
    top_percent_share: float
    """Share of all weight in the largest 1 % of the weights."""
    largest_weight: float
    mean_weight: float
    """Mean weight; 1 in expectation if the propensities are right and cover the candidate."""
    mean_weight_error: float
    """Standard error of the mean weight."""
    nonzero_rewards: int
    """Nonzero rewards on rows where the candidate's probability is not 0."""
    deterministic_share: float
    """Share of the rows on which the logging policy was certain."""
    unseen_mass: float
    """Mean probability that the candidate gives to actions the log never shows."""
    left_out: int
    """Rows that could not be used."""


def effective_sample_size(weight: Float64) -> float:
    """Computes the number of equally weighted rows that carry as much: (sum w)^2 / sum w^2.

    >>> effective_sample_size(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def top_share(weight: Float64, fraction: float = 0.01) -> float:
    """Computes the share of all weight in the largest `fraction` of the weights, at least one.

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
) -> WeightDiagnostics:
    """Measures the weights.

    Args:
        reward: rewards, shape (n,).
        weight: importance weights, not clipped, shape (n,).
        propensity: the logging policy's probabilities of the actions shown, shape (n,).
        unseen_mass: mean probability that the candidate gives to actions the log never shows.
        left_out: rows that could not be used.
    """
    rows = len(weight)
    return WeightDiagnostics(
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


def warnings_of(seen: WeightDiagnostics) -> list[str]:
    """Lists the reasons why the log can't support the estimate, a sentence each."""
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
            f"{seen.left_out} rows were left out: no propensity in [1e-12, 1], no reward, or "
            "unreadable. If the candidate favours them, the value is biased."
        )
    return found
