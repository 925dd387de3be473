"""Complete verdicts on a log in which each user likes one kind of item."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.config import parse
from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Item
from penchant.evaluation.gates.cohorts import attribute_cohorts, usual_cohorts
from penchant.evaluation.gates.judge import judge
from penchant.evaluation.gates.probes import freeze_probes
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import GateOutcome, Verdict
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import replay
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
def test_a_candidate_that_is_bad_for_one_cohort_is_refused_by_its_name(kind: str) -> None:
    good, bad = side(kind_vectors()), side(kind_vectors(unknown=(kind,)))
    verdict = verdict_on(good, bad, overall=0.9)
    names = {one.cohort for one in verdict.refused if one.gate == "attribute kind"}
    assert names == {f"kind = {kind}"}
    assert verdict.text().startswith(f"gate: refused: kind = {kind}: NDCG@10 fell from 0.")
    assert verdict_on(bad, good).passed


def test_equal_questions_give_equal_findings_in_a_fixed_order() -> None:
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


def test_a_candidate_that_forgot_an_earlier_era_is_refused() -> None:
    """Settings that rank by popularity alone lose everything that the probes measure."""
    without_interest = dataclasses.replace(
        CONFIG, fold=FoldSettings(slow_weight=0.0, fast_weight=0.0)
    )
    probes = [freeze_probes(LOG, range(100, 300), 100)]
    budgets = dataclasses.replace(BUDGETS, overall=0.99, cohort=0.99)
    verdict = judge(
        LOG, side(words()), side(words(), without_interest), budgets, probes=probes, validation=HALF
    )
    (found,) = (one for one in verdict.refused if one.gate == "probes")
    assert found.loss > 0.5


def test_a_probe_set_works_after_its_items_have_left_the_catalog() -> None:
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


def test_a_candidate_that_suffers_more_from_noisy_texts_is_refused() -> None:
    verdict = verdict_on(side(words()), side(words(fragile=True)))
    (found,) = verdict.refused
    assert (found.gate, found.cohort) == ("robustness", "careless texts")
    assert found.candidate < found.baseline
    assert verdict_on(side(words(fragile=True)), side(words())).passed


def test_with_vectors_alone_other_texts_are_not_judged() -> None:
    probes = [freeze_probes(LOG, range(100, 300), 100)]
    both = side(kind_vectors()), side(words())
    verdict = judge(LOG, *both, BUDGETS, probes=probes, validation=HALF)
    notes = {
        one.gate: one.note for one in verdict.findings if one.outcome is GateOutcome.NOT_JUDGED
    }
    assert {"probes", "robustness"} <= notes.keys()
    assert "vectors alone can't be asked about other texts" in notes["robustness"]


def test_too_few_rankings_for_any_judgement_are_an_error() -> None:
    with pytest.raises(ConfigError, match="got 33 rankings of 25 users, expected at least 100"):
        judge(LOG, side(words()), side(words()), validation=Validation(0.045))


def test_an_attribute_that_no_item_has_is_an_error() -> None:
    both = side(words()), side(words())
    with pytest.raises(ConfigError, match="attribute: got 'colour'"):
        judge(LOG, *both, BUDGETS, attributes=["colour"], validation=HALF)


def test_vectors_of_other_items_are_an_error() -> None:
    with pytest.raises(ConfigError, match="encoder: got vectors of 3 items, expected 80"):
        judge(LOG, side(kind_vectors()[:3]), side(words()), BUDGETS, validation=HALF)


def test_cohorts_match_their_names() -> None:
    _, targets = HALF.choose(LOG)
    cohorts = usual_cohorts(LOG, targets)
    np.testing.assert_array_equal(cohorts["new users"], targets.earlier < 5)
    np.testing.assert_array_equal(cohorts["new items"], targets.item_age < 5)
    assert cohorts["heavy users"].all()  # All users have equally many events.
    busy = dataclasses.replace(LOG, user=np.where(LOG.user < 6, LOG.user, LOG.user % 20 + 6))
    heavy = usual_cohorts(busy, targets)["heavy users"]
    counts = np.bincount(busy.user, minlength=len(busy.users))
    np.testing.assert_array_equal(heavy, counts[busy.user[targets.positions]] >= 36)
    kinds = attribute_cohorts(LOG, targets, "kind")
    assert list(kinds) == [f"kind = {kind}" for kind in sorted(KINDS)]
    np.testing.assert_array_equal(sum(mask.astype(int) for mask in kinds.values()), 1)


def test_rankings_above_the_limit_are_thinned_alike_for_both_sides() -> None:
    replay_config, targets = Validation(0.5, max_rankings=100).choose(LOG)
    assert replay_config.every == 4
    assert len(targets.positions) == 90
    with pytest.raises(ConfigError, match="max_rankings: got 0"):
        Validation(max_rankings=0)


def test_progress_is_reported_step_by_step() -> None:
    reports: list[tuple[str, float]] = []
    judge(
        LOG,
        side(words()),
        side(words()),
        BUDGETS,
        validation=HALF,
        progress=lambda step, done: reports.append((step, done)),
    )
    steps = list(dict.fromkeys(step for step, _ in reports))
    assert steps == [
        "baseline",
        "candidate",
        "baseline with careless texts",
        "candidate with careless texts",
    ]
    assert all(reports.count((step, 1.0)) == 1 for step in steps)


def test_each_side_is_ranked_with_the_weights_that_it_learns_itself() -> None:
    stream = planted_log()
    plan, targets = HALF.choose(stream)
    vectors = kind_vectors()
    kept = Side(vectors, CONFIG, RefreshSettings())
    sets = parse({"store": "memory:", "encoder": "e", "slow_weight": "0", "near_weight": "0"})
    fixed = Side(vectors, sets, RefreshSettings())

    def learnt(by: Side) -> Float64:
        clock = middle_clock(by.refresh, by.config)
        return replay(stream, PenchantRecommender(by.config, vectors, clock), targets, plan).rank

    def told(by: Side) -> Float64:
        clock = middle_clock(by.refresh)
        return replay(stream, PenchantRecommender(by.config, vectors, clock), targets, plan).rank

    for by in (kept, fixed):
        np.testing.assert_array_equal(by.ranks(stream, vectors, targets, plan), learnt(by))
    assert (learnt(kept) != told(kept)).any()
    assert (learnt(kept) != learnt(fixed)).any()
