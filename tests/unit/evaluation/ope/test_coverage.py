"""Intervals cover the true value at their stated rate, on simulated logs."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.evaluation.ope import estimators as ope
from penchant.evaluation.ope.estimators import RatioTerms
from penchant.evaluation.ope.intervals import interval

RUNS, USERS, PER_USER, ACTIONS, CONTEXTS = 200, 500, 4, 6, 3


def simulate(seed: int) -> tuple[float, dict[str, RatioTerms]]:
    """Gives a true value, and terms from a log in which users differ in how often they click."""
    world = np.random.default_rng(7)
    logging = world.dirichlet(2 * np.ones(ACTIONS), CONTEXTS) * 0.8 + 0.2 / ACTIONS
    candidate = world.dirichlet(np.ones(ACTIONS), CONTEXTS)
    mean = world.uniform(0.1, 0.5, (CONTEXTS, ACTIONS))
    truth = float((candidate * mean).sum(axis=1).mean())

    random = np.random.default_rng(seed)
    taste = np.repeat(random.uniform(0.2, 1.8, USERS), PER_USER)
    context = random.integers(CONTEXTS, size=USERS * PER_USER)
    below = random.random((len(context), 1)) > logging[context].cumsum(axis=1)
    action = np.minimum(below.sum(axis=1), ACTIONS - 1)
    reward = (random.random(len(context)) < mean[context, action] * taste).astype(np.float64)
    weight = ope.weights(candidate[context, action], logging[context, action])
    q = (0.7 * mean + 0.05)[context]  # A wrong model that did not see the log.
    judged = (reward, weight, action, candidate[context], q)
    return truth, {
        "ips": ope.ips(reward, weight),
        "snips": ope.snips(reward, weight),
        "dr": ope.dr(*judged),
    }


def test_intervals_cover_the_true_value_in_90_to_99_percent_of_200_runs() -> None:
    cluster = np.repeat(np.arange(USERS), PER_USER)
    covered = {"ips": 0, "snips": 0, "dr": 0}
    for seed in range(RUNS):
        truth, terms = simulate(seed)
        for name, one in terms.items():
            found = interval(one, cluster)
            covered[name] += found.low <= truth <= found.high
    assert {name: 0.9 <= hits / RUNS <= 0.99 for name, hits in covered.items()} == dict.fromkeys(
        covered, True
    ), covered


def test_dr_is_narrower_than_ips_with_a_model_worth_something() -> None:
    cluster = np.repeat(np.arange(USERS), PER_USER)
    _, terms = simulate(0)
    assert (
        interval(terms["dr"], cluster).standard_error
        < interval(terms["ips"], cluster).standard_error
    )


def test_dm_is_as_wrong_as_its_model() -> None:
    q = np.full((10, 2), 0.3)
    assert ope.dm(np.full((10, 2), 0.5), q).value == pytest.approx(0.3)
