"""The rule of a gate: refuse a loss that exceeds the budget and that chance does not explain.

For n rankings, with metric v under the baseline and w under the candidate,

    gap = mean(w - v)                   loss = -gap / scale,   scale = mean(v)            (1)
    high = gap + z sd,                  z = Phi^-1(1 - 0.025 / m)                         (2)
    refused  <=>  loss > budget  and  high < 0                                            (3)

sd is the standard deviation of gap over 1,000 resamples of users, each with all of their rankings
under both sides (the standard normal interval of B. Efron and R. J. Tibshirani, "An Introduction to
the Bootstrap", 1993, chapter 13). m is the number of comparisons that the gate makes: with
Bonferroni's correction all intervals of one gate hold at once in 95 of 100 cases. Without it, the
twenty cohorts of an attribute would refuse every third candidate that is as good as the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.evaluation import metrics
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.verdict import NDCG, Finding, GateOutcome

OUTSIDE = 0.05
"""Probability that at least one interval of a gate misses the true value."""


@dataclass(frozen=True, slots=True, eq=False)
class PairedMetric:
    """One metric of n rankings under both sides, shape (n,) each."""

    cohort: str
    metric: str
    baseline: Float64
    candidate: Float64
    user: Int64
    """User of each ranking."""
    scale: float
    """Denominator of the loss."""


def paired_metric(
    cohort: str, metric: str, baseline: Float64, candidate: Float64, user: Int64
) -> PairedMetric:
    """A metric from the ranks of n items under both sides, from 1, shape (n,) each."""
    of = metrics.ndcg if metric == NDCG else metrics.recall
    before, after = of(baseline, 10), of(candidate, 10)
    scale = float(before.mean()) if len(before) else math.nan
    return PairedMetric(cohort, metric, before, after, user, scale)


def findings_of(
    gate: str, comparisons: Sequence[PairedMetric], budget: float, budgets: Budgets, seed: int
) -> list[Finding]:
    """Equations 1 to 3 for all comparisons of one gate, in their order.

    Args:
        gate: name of the gate.
        comparisons: one per cohort and metric; one with too little data is not judged.
        budget: allowed loss of each.
        budgets: says how much data a judgement needs.
        seed: seed of the resamples.
    """
    judged = sum(not _too_few(one, budgets) for one in comparisons)
    return [_finding(gate, one, judged, budget, budgets, seed) for one in comparisons]


def outcome_of(loss: float, high: float, budget: float) -> GateOutcome:
    """Equation 3.

    >>> outcome_of(loss=0.02, high=-0.001, budget=0.03).value
    'passed'
    >>> outcome_of(loss=0.47, high=-0.001, budget=0.03).value
    'refused'
    >>> outcome_of(loss=0.47, high=0.001, budget=0.03).value
    'within chance'
    """
    if loss <= budget:
        return GateOutcome.PASSED
    return GateOutcome.REFUSED if high < 0 else GateOutcome.WITHIN_CHANCE


def interval(gaps: Float64, user: Int64, comparisons: int, seed: int) -> tuple[float, float]:
    """Both ends of the interval of equation 2, for the gaps of n rankings, shape (n,)."""
    spread = float(metrics.bootstrap(gaps[:, None], user, seed).std())
    half = NormalDist().inv_cdf(1 - OUTSIDE / 2 / comparisons) * spread
    mean = float(gaps.mean())
    return mean - half, mean + half


def _finding(
    gate: str, one: PairedMetric, judged: int, budget: float, budgets: Budgets, seed: int
) -> Finding:
    rankings, users = len(one.user), len(np.unique(one.user))
    if _too_few(one, budgets):
        note = (
            f"too few to judge: {rankings:,} rankings of {users:,} users, "
            f"expected {budgets.min_rankings:,} of {budgets.min_users:,}"
        )
        return Finding(
            gate,
            one.cohort,
            one.metric,
            GateOutcome.NOT_JUDGED,
            budget=budget,
            rankings=rankings,
            users=users,
            note=note,
        )
    low, high = interval(one.candidate - one.baseline, one.user, judged, seed)
    loss = loss_of(float((one.candidate - one.baseline).mean()), one.scale)
    return Finding(
        gate=gate,
        cohort=one.cohort,
        metric=one.metric,
        outcome=outcome_of(loss, high, budget),
        baseline=float(one.baseline.mean()),
        candidate=float(one.candidate.mean()),
        loss=loss,
        low=low,
        high=high,
        budget=budget,
        rankings=rankings,
        users=users,
    )


def loss_of(gap: float, scale: float) -> float:
    """Equation 1; if the scale is 0, any drop is an infinite loss.

    >>> loss_of(-0.25, 0.5), loss_of(0.0, 0.0), loss_of(-0.1, 0.0)
    (0.5, 0.0, inf)
    """
    if scale > 0:
        return 0.0 - gap / scale
    return 0.0 if gap >= 0 else math.inf


def _too_few(one: PairedMetric, budgets: Budgets) -> bool:
    few_users = len(np.unique(one.user)) < budgets.min_users
    return len(one.user) < budgets.min_rankings or few_users
