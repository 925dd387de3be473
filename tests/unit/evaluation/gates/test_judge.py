"""Whole verdicts over a log in which each user likes one kind of item."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Item
from penchant.evaluation.gates.cohorts import attribute_cohorts, usual_cohorts
from penchant.evaluation.gates.judge import judge
from penchant.evaluation.gates.probes import freeze_probes
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation_part import Validation
from penchant.evaluation.gates.verdict import GateOutcome, Verdict
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from tests.unit.evaluation.gates.planted import (
    BUDGETS,
    CONFIG,
    HALF,
    KINDS,
    kind_vectors,
    planted_log,
    side,
    words,
)

LOG = planted_log()


def verdict_on(
    baseline: Side, candidate: Side, stream: Stream = LOG, overall: float = 0.01
) -> Verdict:
    budgets = dataclasses.replace(BUDGETS, overall=overall)
    return judge(stream, baseline, candidate, budgets, attributes=["kind"], validation=HALF)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    fast=st.floats(0, 8),
    refresh=st.sampled_from([None, RefreshSettings()]),
)
def test_a_candidate_equal_to_the_baseline_always_passes(
    seed: int, fast: float, refresh: RefreshSettings | None
) -> None:
    vectors = np.random.default_rng(seed).standard_normal((80, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    config = dataclasses.replace(CONFIG, fold=FoldSettings(fast_weight=fast))
    budgets = dataclasses.replace(BUDGETS, overall=0.0, cohort=0.0)
    one, two = (Side(vectors.copy(), config, refresh) for _ in range(2))
    verdict = judge(LOG, one, two, budgets, attributes=["kind"], validation=HALF, seed=seed)
    assert verdict.passed
    assert {one.outcome for one in verdict.findings} <= {GateOutcome.PASSED, GateOutcome.NOT_JUDGED}


@pytest.mark.parametrize("kind", KINDS)
def test_a_candidate_that_is_bad_for_one_cohort_alone_is_refused_by_its_name(kind: str) -> None:
    good, bad = side(kind_vectors()), side(kind_vectors(unknown=(kind,)))
    verdict = verdict_on(good, bad, overall=0.9)
    names = {one.cohort for one in verdict.refused if one.gate == "attribute kind"}
    assert names == {f"kind = {kind}"}
    assert verdict.text().startswith(f"gate: refused: kind = {kind}: NDCG@10 fell from 0.")
    assert verdict_on(bad, good).passed


def test_the_findings_come_in_one_order_and_twice_the_same() -> None:
    probes = [freeze_probes(LOG, range(100, 300), 100), freeze_probes(LOG, range(100), 60)]
    one, two = (
        judge(
            LOG,
            side(words()),
            side(words()),
            BUDGETS,
            probes=probes,
            attributes=["kind"],
            validation=HALF,
        )
        for _ in range(2)
    )
    assert one == two
    assert one.passed
    assert [(found.gate, found.cohort) for found in one.findings] == [
        ("validation", "all rankings"),
        ("validation", "all rankings"),
        ("cohorts", "new users"),
        ("cohorts", "heavy users"),
        ("cohorts", "new items"),
        *(("attribute kind", f"kind = {kind}") for kind in sorted(KINDS)),
        *(("probes", f"probes of {probe.era}") for probe in probes),
        ("robustness", "careless texts"),
    ]


def test_what_was_known_of_an_earlier_era_must_not_be_forgotten() -> None:
    """Settings that hear nothing but popularity: all that the probes ask about is lost."""
    deaf = dataclasses.replace(CONFIG, fold=FoldSettings(slow_weight=0.0, fast_weight=0.0))
    probes = [freeze_probes(LOG, range(100, 300), 100)]
    budgets = dataclasses.replace(BUDGETS, overall=0.99, cohort=0.99)
    verdict = judge(
        LOG, side(words()), side(words(), deaf), budgets, probes=probes, validation=HALF
    )
    (found,) = (one for one in verdict.refused if one.gate == "probes")
    assert found.loss > 0.5


def test_a_probe_set_is_asked_though_its_items_have_left_the_catalog() -> None:
    probes = [freeze_probes(LOG, range(100, 300), 100)]
    renamed = tuple(Item(f"new{n}", item.text) for n, item in enumerate(LOG.items))
    later = dataclasses.replace(LOG, items=renamed)
    both = [
        judge(stream, side(words()), side(words()), BUDGETS, probes=probes, validation=HALF)
        for stream in (LOG, later)
    ]
    first, second = ([one for one in found.findings if one.gate == "probes"] for found in both)
    assert first == second
    assert first[0].baseline > 0.2


def test_a_candidate_that_careless_texts_cost_more_is_refused() -> None:
    verdict = verdict_on(side(words()), side(words(fragile=True)))
    (found,) = verdict.refused
    assert (found.gate, found.cohort) == ("robustness", "careless texts")
    assert found.candidate < found.baseline
    assert verdict_on(side(words(fragile=True)), side(words())).passed


def test_vectors_alone_are_not_asked_about_other_texts_and_that_is_said() -> None:
    probes = [freeze_probes(LOG, range(100, 300), 100)]
    both = side(kind_vectors()), side(words())
    verdict = judge(LOG, *both, BUDGETS, probes=probes, validation=HALF)
    notes = {
        one.gate: one.note for one in verdict.findings if one.outcome is GateOutcome.NOT_JUDGED
    }
    assert {"probes", "robustness"} <= notes.keys()
    assert "vectors alone can't be asked about other texts" in notes["robustness"]


def test_rankings_that_are_too_few_for_any_judgement_are_an_error_not_a_pass() -> None:
    with pytest.raises(ConfigError, match="got 33 rankings of 25 users, expected at least 100"):
        judge(LOG, side(words()), side(words()), validation=Validation(0.045))


def test_an_attribute_that_no_item_has_is_an_error() -> None:
    both = side(words()), side(words())
    with pytest.raises(ConfigError, match="attribute: got 'colour'"):
        judge(LOG, *both, BUDGETS, attributes=["colour"], validation=HALF)


def test_vectors_of_other_items_are_an_error() -> None:
    with pytest.raises(ConfigError, match="encoder: got vectors of 3 items, expected 80"):
        judge(LOG, side(kind_vectors()[:3]), side(words()), BUDGETS, validation=HALF)


def test_cohorts_are_who_they_say() -> None:
    _, targets = HALF.choose(LOG)
    cohorts = usual_cohorts(LOG, targets)
    np.testing.assert_array_equal(cohorts["new users"], targets.earlier < 5)
    np.testing.assert_array_equal(cohorts["new items"], targets.item_age < 5)
    assert cohorts["heavy users"].all()  # All have as many events.
    busy = dataclasses.replace(LOG, user=np.where(LOG.user < 6, LOG.user, LOG.user % 20 + 6))
    heavy = usual_cohorts(busy, targets)["heavy users"]
    counts = np.bincount(busy.user, minlength=len(busy.users))
    np.testing.assert_array_equal(heavy, counts[busy.user[targets.positions]] >= 36)
    kinds = attribute_cohorts(LOG, targets, "kind")
    assert list(kinds) == [f"kind = {kind}" for kind in sorted(KINDS)]
    np.testing.assert_array_equal(sum(mask.astype(int) for mask in kinds.values()), 1)


def test_more_rankings_than_asked_for_are_thinned_alike_for_both_sides() -> None:
    replay_config, targets = Validation(0.5, max_rankings=100).choose(LOG)
    assert replay_config.every == 4
    assert len(targets.positions) == 90
    with pytest.raises(ConfigError, match="max_rankings: got 0"):
        Validation(max_rankings=0)


def test_progress_is_told_step_by_step() -> None:
    told: list[tuple[str, float]] = []
    judge(
        LOG,
        side(words()),
        side(words()),
        BUDGETS,
        validation=HALF,
        progress=lambda step, done: told.append((step, done)),
    )
    steps = list(dict.fromkeys(step for step, _ in told))
    assert steps == [
        "baseline",
        "candidate",
        "baseline with careless texts",
        "candidate with careless texts",
    ]
    assert all(told.count((step, 1.0)) == 1 for step in steps)
