"""The estimators equal those of the package obp on the Open Bandit Dataset."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.evaluation.ope import estimators
from penchant.evaluation.ope.action_probabilities import by_softmax
from penchant.evaluation.ope.policy_value import candidate_of
from penchant.evaluation.ope.reward_model import cross_fit, folds_of
from tests.support import open_bandit


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
@pytest.mark.parametrize("policy", ["random", "bts"])
def test_values_equal_those_of_obp(policy: str, campaign: str) -> None:
    log = open_bandit.sample(policy, campaign)
    fold = folds_of(log.cluster, 3, seed=1)
    q = cross_fit(log, fold)
    # Far from the logging policy, so that weights differ and some pass tau.
    everywhere = by_softmax(q, 0.002)
    candidate = candidate_of("softmax", log, everywhere)
    weight = estimators.weights(candidate.shown, log.propensity)
    tau = float(np.quantile(weight, 0.8))
    ours = {
        "InverseProbabilityWeighting": estimators.ips(log.reward, weight),
        "SelfNormalizedInverseProbabilityWeighting": estimators.snips(log.reward, weight),
        "DirectMethod": estimators.dm(everywhere, q),
        "DoublyRobust": estimators.dr(log.reward, weight, log.action, everywhere, q),
        "SwitchDoublyRobust": estimators.switch_dr(
            log.reward, weight, log.action, everywhere, q, tau
        ),
    }
    theirs = open_bandit.estimators()
    for name, terms in ours.items():
        options = {"tau": tau} if name == "SwitchDoublyRobust" else {}
        value = getattr(theirs, name)(**options).estimate_policy_value(
            reward=log.reward,
            action=log.action,
            position=np.zeros(len(log.action), dtype=int),
            pscore=log.propensity,
            action_dist=everywhere[:, :, None],
            estimated_rewards_by_reg_model=q[:, :, None],
        )
        assert terms.value == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert (weight > tau).any()
