"""All gates, one after the other: a baseline and a candidate over the same log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.evaluation import metrics
from penchant.evaluation.attribute_calibration import attribute_shares
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.cohorts import attribute_cohorts, usual_cohorts
from penchant.evaluation.gates.comparison import Comparison, compared, findings_of
from penchant.evaluation.gates.probe_ranks import probe_ranks
from penchant.evaluation.gates.probes import ProbeSet
from penchant.evaluation.gates.robustness import careless
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import NDCG, RECALL, Finding, Outcome, Verdict
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream

ALL, CARELESS = "all rankings", "careless texts"

Progress = Callable[[str, float], None]
"""Told the name of a step and the share of it that is done, 0 to 1."""


def judge(
    stream: Stream,
    baseline: Side,
    candidate: Side,
    budgets: Budgets | None = None,
    *,
    probes: Sequence[ProbeSet] = (),
    attributes: Sequence[str] = (),
    validation: Validation | None = None,
    seed: int = 1,
    progress: Progress = lambda step, done: None,
) -> Verdict:
    """Compares a candidate with the baseline, ranking by ranking.

    Args:
        stream: the log; its newest part is ranked for, all before it is learnt first.
        baseline: what serves now.
        candidate: what would serve in its place.
        budgets: what it may lose; default: `Budgets()`.
        probes: frozen rankings of earlier eras.
        attributes: of the items; each of their values is a cohort.
        validation: which events are ranked for; default: `Validation()`.
        seed: of the resamples and of what is done to the texts.
        progress: told how far it is.

    Returns:
        Findings in this order: validation, cohorts, attributes (values by name), probes as given,
        robustness. Equal arguments, equal verdicts.

    Raises:
        ConfigError: nothing can be ranked for, the rankings are too few to judge at all, no item
            has an attribute, or vectors do not fit the items.

    Cost: four encodings of the catalog, fewer where an encoder remembers, and four replays.
    """
    chosen, budgets = validation or Validation(), budgets or Budgets()
    for attribute in attributes:
        attribute_shares(stream.items, attribute)  # For its error, before the work.
    plan, targets = chosen.choose(stream)
    _require_enough(stream, targets, budgets)
    court = _Court(stream, baseline, candidate, budgets, seed, plan, targets, progress)
    with threadpool_limits(1):  # As `penchant evaluate` does.
        return Verdict(
            (*court.validation(attributes), *court.forgetting(probes), *court.robustness())
        )


class _Court:
    """The sides and their rankings of the validation part, which several gates look at."""

    def __init__(
        self,
        stream: Stream,
        baseline: Side,
        candidate: Side,
        budgets: Budgets,
        seed: int,
        plan: ReplayConfig,
        targets: EvaluationTargets,
        progress: Progress,
    ) -> None:
        self._stream = stream
        self._sides = {"baseline": baseline, "candidate": candidate}
        self._budgets, self._seed = budgets, seed
        self._plan, self._targets = plan, targets
        self._user = stream.user[targets.positions]
        self._progress = progress
        self._ranks: dict[str, Float64] = {}

    def validation(self, attributes: Sequence[str]) -> list[Finding]:
        """All rankings, the usual cohorts of them, and those of each attribute."""
        texts = [item.text for item in self._stream.items]
        self._ranks = self._replayed(texts, "")
        before, after = self._ranks["baseline"], self._ranks["candidate"]
        whole = [compared(ALL, name, before, after, self._user) for name in (NDCG, RECALL)]
        found = self._judged("validation", whole, self._budgets.overall)
        found += self._cohorts("cohorts", usual_cohorts(self._stream, self._targets))
        for attribute in attributes:
            masks = attribute_cohorts(self._stream, self._targets, attribute)
            found += self._cohorts(f"attribute {attribute}", masks)
        return found

    def forgetting(self, probes: Sequence[ProbeSet]) -> list[Finding]:
        """Each probe set."""
        budget = self._budgets.probes
        if probes and self._without_encoder():
            return [self._unasked("probes", _of(one), budget) for one in probes]
        comparisons = []
        for one in probes:
            ranks = {}
            for name, side in self._sides.items():
                self._progress(f"{name}, {_of(one)}", 0.0)
                ranks[name] = probe_ranks(one, side.vectors(one.texts), side.config.fold)
                self._progress(f"{name}, {_of(one)}", 1.0)
            sides = ranks["baseline"], ranks["candidate"]
            comparisons.append(compared(_of(one), NDCG, *sides, one.user))
        return self._judged("probes", comparisons, budget)

    def robustness(self) -> list[Finding]:
        """What careless texts cost the candidate more than the baseline."""
        budget = self._budgets.robustness
        if self._without_encoder():
            return [self._unasked("robustness", CARELESS, budget)]
        texts = careless([item.text for item in self._stream.items], self._seed)
        ranks = self._replayed(texts, " with careless texts")
        plain = {name: metrics.ndcg(self._ranks[name], 10) for name in self._sides}
        changes = {name: metrics.ndcg(ranks[name], 10) - plain[name] for name in self._sides}
        before, after = changes["baseline"], changes["candidate"]
        scale = float(plain["baseline"].mean())
        whole = Comparison(CARELESS, f"Δ{NDCG}", before, after, self._user, scale)
        return self._judged("robustness", [whole], budget)

    def _replayed(self, texts: Sequence[str], how: str) -> dict[str, Float64]:
        first, count = self._plan.start(self._stream), len(self._stream.events)
        ranks = {}
        for name, side in self._sides.items():
            step = f"{name}{how}"
            self._progress(step, 0.0)

            def on_event(position: int, step: str = step) -> None:
                self._progress(step, (position + 1 - first) / (count - first))

            vectors = side.vectors(texts)
            ranks[name] = side.ranks(self._stream, vectors, self._targets, self._plan, on_event)
        return ranks

    def _cohorts(self, gate: str, masks: dict[str, Mask]) -> list[Finding]:
        before, after = self._ranks["baseline"], self._ranks["candidate"]
        comparisons = [
            compared(name, NDCG, before[mask], after[mask], self._user[mask])
            for name, mask in masks.items()
        ]
        return self._judged(gate, comparisons, self._budgets.cohort)

    def _judged(self, gate: str, comparisons: list[Comparison], budget: float) -> list[Finding]:
        return findings_of(gate, comparisons, budget, self._budgets, self._seed)

    def _without_encoder(self) -> bool:
        return any(side.text_encoder is None for side in self._sides.values())

    def _unasked(self, gate: str, cohort: str, budget: float) -> Finding:
        note = "not judged: vectors alone can't be asked about other texts; give encoders"
        return Finding(gate, cohort, NDCG, Outcome.NOT_JUDGED, budget=budget, note=note)


def _require_enough(stream: Stream, targets: EvaluationTargets, budgets: Budgets) -> None:
    rankings, users = len(targets.positions), _distinct(stream.user[targets.positions])
    if rankings < budgets.min_rankings or users < budgets.min_users:
        raise ConfigError(
            f"validation: got {rankings:,} rankings of {users:,} users, expected at least "
            f"{budgets.min_rankings:,} of {budgets.min_users:,} to judge by; give a longer log, a "
            "larger validation part, or lower what is enough"
        )


def _of(probes: ProbeSet) -> str:
    return f"probes of {probes.era}"


def _distinct(numbers: Int64) -> int:
    return len(np.unique(numbers))
