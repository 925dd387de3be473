"""Laws of the estimators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.arrays import Float64, Int64
from penchant.evaluation.ope import estimators as ope
from penchant.evaluation.ope.diagnostics import effective_sample_size, top_share
from penchant.evaluation.ope.estimators import RatioTerms
from penchant.evaluation.ope.intervals import interval


@dataclass
class RandomLog:
    reward: Float64
    action: Int64
    propensity: Float64
    candidate: Float64
    q: Float64

    @property
    def weight(self) -> Float64:
        shown = self.candidate[np.arange(len(self.action)), self.action]
        return ope.weights(shown, self.propensity)

    def all_terms(self) -> dict[str, RatioTerms]:
        judged = (self.reward, self.weight, self.action, self.candidate, self.q)
        return {
            "ips": ope.ips(self.reward, self.weight),
            "snips": ope.snips(self.reward, self.weight),
            "dm": ope.dm(self.candidate, self.q),
            "dr": ope.dr(*judged),
            "switch-dr": ope.switch_dr(*judged, tau=1.5),
        }


@st.composite
def logs(draw: st.DrawFn) -> RandomLog:
    rows, actions = draw(st.integers(2, 60)), draw(st.integers(2, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    action = random.integers(actions, size=rows)
    logging = random.dirichlet(np.ones(actions), rows) * 0.9 + 0.1 / actions
    return RandomLog(
        reward=random.normal(size=rows),
        action=action,
        propensity=logging[np.arange(rows), action],
        candidate=random.dirichlet(np.ones(actions), rows),
        q=random.normal(size=(rows, actions)),
    )


@given(logs())
def test_ips_of_the_logging_policy_is_the_mean_reward(log: RandomLog) -> None:
    weight = ope.weights(log.propensity, log.propensity)
    assert ope.ips(log.reward, weight).value == pytest.approx(log.reward.mean())


@given(logs(), st.floats(0.01, 100))
def test_scaling_all_weights_changes_nothing_of_snips(log: RandomLog, scale: float) -> None:
    one = interval(ope.snips(log.reward, log.weight), np.arange(len(log.reward)))
    other = interval(ope.snips(log.reward, scale * log.weight), np.arange(len(log.reward)))
    assert other.value == pytest.approx(one.value)
    assert other.standard_error == pytest.approx(one.standard_error)


@given(logs())
def test_snips_stays_within_the_rewards_range(log: RandomLog) -> None:
    value = ope.snips(log.reward, log.weight).value
    assert log.reward.min() - 1e-9 <= value <= log.reward.max() + 1e-9


@given(logs())
def test_dr_with_a_perfect_model_is_dm_row_by_row_whatever_the_weights(log: RandomLog) -> None:
    reward = log.q[np.arange(len(log.action)), log.action]
    direct = ope.dm(log.candidate, log.q)
    for scale in (1.0, 50.0):
        robust = ope.dr(reward, scale * log.weight, log.action, log.candidate, log.q)
        np.testing.assert_array_equal(robust.numerator, direct.numerator)


@given(logs())
def test_switch_dr_is_dm_at_tau_0_and_dr_at_infinity(log: RandomLog) -> None:
    judged = (log.reward, log.weight, log.action, log.candidate, log.q)
    assert ope.switch_dr(*judged, tau=0.0).value == ope.dm(log.candidate, log.q).value
    assert ope.switch_dr(*judged, tau=np.inf).value == ope.dr(*judged).value


@given(logs())
@settings(max_examples=50)
def test_the_order_of_the_rows_changes_nothing(log: RandomLog) -> None:
    order = np.random.default_rng(len(log.action)).permutation(len(log.action))
    cluster = np.arange(len(order)) // 2
    moved = RandomLog(
        log.reward[order],
        log.action[order],
        log.propensity[order],
        log.candidate[order],
        log.q[order],
    )
    for name, terms in log.all_terms().items():
        one, other = interval(terms, cluster), interval(moved.all_terms()[name], cluster[order])
        assert other.value == pytest.approx(one.value, abs=1e-12), name
        assert other.standard_error == pytest.approx(one.standard_error, abs=1e-12, nan_ok=True), (
            name
        )


@given(logs())
def test_no_more_rows_are_effective_than_there_are(log: RandomLog) -> None:
    assert 0 < effective_sample_size(log.weight) <= len(log.weight) + 1e-9
    assert 0 < top_share(log.weight) <= 1


@given(logs())
def test_clipping_at_infinity_is_no_clipping(log: RandomLog) -> None:
    shown = log.candidate[np.arange(len(log.action)), log.action]
    np.testing.assert_array_equal(ope.weights(shown, log.propensity, np.inf), log.weight)
    assert ope.weights(shown, log.propensity, 0.5).max() <= 0.5


def test_a_user_repeated_tenfold_is_no_better_known() -> None:
    reward = np.random.default_rng(1).normal(size=50)
    once = interval(ope.ips(reward, np.ones(50)), np.arange(50))
    tenfold = interval(ope.ips(np.repeat(reward, 10), np.ones(500)), np.repeat(np.arange(50), 10))
    assert tenfold.standard_error == pytest.approx(once.standard_error)


def test_one_cluster_has_no_interval() -> None:
    found = interval(ope.ips(np.ones(3), np.ones(3)), np.zeros(3, dtype=np.int64))
    assert found.value == 1.0
    assert np.isnan([found.low, found.high]).all()
