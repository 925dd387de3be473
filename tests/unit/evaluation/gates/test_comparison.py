"""The rule of the gates, on numbers made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.comparison import (
    PairedMetric,
    findings_of,
    interval,
    outcome_of,
    paired_metric,
)
from penchant.evaluation.gates.verdict import NDCG, RECALL, GateOutcome

FEW = Budgets(min_rankings=1, min_users=2)


def constant(value: float, users: int = 50, each: int = 4) -> Float64:
    return np.full(users * each, value)


def users(count: int = 50, each: int = 4) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.repeat(np.arange(count), each)


def compare(before: Float64, after: Float64, cohort: str = "all") -> PairedMetric:
    return PairedMetric(cohort, NDCG, before, after, users(), float(before.mean()))


@pytest.mark.parametrize(
    ("after", "budget", "outcome"),
    [
        (0.100, 0.01, GateOutcome.PASSED),
        (0.150, 0.01, GateOutcome.PASSED),
        (0.0995, 0.01, GateOutcome.PASSED),  # 0.5 % lost with certainty, but within the budget.
        (0.098, 0.01, GateOutcome.REFUSED),  # 2 % lost with certainty.
        (0.098, 0.03, GateOutcome.PASSED),
        (0.043, 0.03, GateOutcome.REFUSED),
    ],
)
def test_a_loss_shared_by_all_users_is_judged_by_the_budget_alone(
    after: float, budget: float, outcome: GateOutcome
) -> None:
    (found,) = findings_of("g", [compare(constant(0.1), constant(after))], budget, FEW, seed=1)
    assert found.outcome is outcome
    assert found.loss == pytest.approx(1 - after / 0.1)
    assert found.low == pytest.approx(after - 0.1)
    assert found.high == pytest.approx(after - 0.1)
    assert (found.rankings, found.users) == (200, 50)


def test_a_loss_that_chance_explains_is_not_refused() -> None:
    """26 of 50 users lose 0.1, the others gain 0.1: a loss of 4 %, but far from certain."""
    gaps = np.repeat(np.where(np.arange(50) < 26, -0.1, 0.1), 4)
    (found,) = findings_of("g", [compare(constant(0.1), 0.1 + gaps)], 0.01, FEW, seed=1)
    assert found.loss == pytest.approx(0.04)
    assert found.low < 0 < found.high
    assert found.outcome is GateOutcome.WITHIN_CHANCE


def test_the_interval_is_a_normal_interval_of_the_mean_over_users() -> None:
    """Fifty users with gaps of standard deviation 1: 1.96 standard errors of 1 / sqrt(50)."""
    gaps = np.repeat(np.where(np.arange(50) % 2, 1.0, -1.0), 4)
    low, high = interval(gaps, users(), comparisons=1, seed=1)
    assert high == -low == pytest.approx(1.96 / np.sqrt(50), rel=0.1)
    wide = interval(gaps, users(), comparisons=20, seed=1)[1]
    assert wide == pytest.approx(high * 3.02 / 1.96, rel=0.01)  # Bonferroni: 0.025 / 20 a side.


def test_equal_cohorts_are_rarely_refused_by_chance() -> None:
    """With twenty equal cohorts each, one gate in forty is refused on average."""
    random = np.random.default_rng(5)
    refused = 0
    for seed in range(20):
        cohorts = []
        for number in range(20):
            before = random.random(200)
            after = before + np.repeat(random.normal(0, 0.1, 50), 4)
            cohorts.append(compare(before, after, str(number)))
        found = findings_of("g", cohorts, 0.0, FEW, seed)
        refused += any(one.outcome is GateOutcome.REFUSED for one in found)
    assert refused <= 2


def test_cohorts_with_too_little_data_are_named_and_widen_no_interval() -> None:
    """Such a cohort neither passes nor is refused, whatever it loses."""
    worse = compare(constant(0.1), constant(0.0), "enough")
    nobody, same = np.empty(0, np.int64), np.zeros(200, np.int64)
    few = PairedMetric("few rankings", NDCG, np.ones(2), np.zeros(2), np.array([1, 2]), 1.0)
    one = PairedMetric("one user", NDCG, constant(0.1), constant(0.0), same, 0.1)
    none = paired_metric("none", NDCG, np.empty(0), np.empty(0), nobody)
    budgets = Budgets(min_rankings=100, min_users=20)
    found = findings_of("g", [few, one, none, worse], 0.03, budgets, seed=1)
    assert [one.outcome for one in found] == [GateOutcome.NOT_JUDGED] * 3 + [GateOutcome.REFUSED]
    assert str(found[0]) == (
        "few rankings: too few to judge: 2 rankings of 2 users, expected 100 of 20"
    )
    alone = findings_of("g", [worse], 0.03, budgets, seed=1)
    assert alone == found[3:]


@given(
    ranks=st.lists(st.integers(1, 30), min_size=2, max_size=40),
    budget=st.sampled_from([0.0, 0.01, 0.5]),
    seed=st.integers(0, 5),
)
def test_a_candidate_equal_to_the_baseline_passes(
    ranks: list[int], budget: float, seed: int
) -> None:
    rank = np.array(ranks, float)
    user = np.arange(len(rank)) // 2
    both = [paired_metric("all", metric, rank, rank, user) for metric in (NDCG, RECALL)]
    for found in findings_of("g", both, budget, FEW, seed):
        assert found.outcome in (GateOutcome.PASSED, GateOutcome.NOT_JUDGED)
        assert found.outcome is GateOutcome.NOT_JUDGED or found.loss == 0.0


@given(
    loss=st.floats(-1, 1), high=st.floats(-1, 1), less=st.floats(0, 1), budget=st.floats(0, 0.99)
)
def test_a_smaller_loss_is_never_judged_worse(
    loss: float, high: float, less: float, budget: float
) -> None:
    if outcome_of(loss, high, budget) is not GateOutcome.REFUSED:
        assert outcome_of(loss - less, high + less, budget) is not GateOutcome.REFUSED


def test_nothing_can_be_lost_from_a_figure_of_0() -> None:
    (found,) = findings_of("g", [compare(constant(0.0), constant(0.1))], 0.01, FEW, seed=1)
    assert (found.outcome, found.loss) == (GateOutcome.PASSED, 0.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"overall": 1.0}, "overall: got 1.0"),
        ({"cohort": float("nan")}, "cohort: got nan"),
        ({"min_rankings": 0}, "min_rankings: got 0"),
        ({"min_users": 1}, "min_users: got 1"),
    ],
)
def test_budgets_out_of_range_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Budgets(**wrong)  # type: ignore[arg-type]
