"""All gates in turn: a baseline and a candidate over the same log."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.evaluation import metrics
from penchant.evaluation.attribute_calibration import attribute_shares
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.cohorts import attribute_cohorts, usual_cohorts
from penchant.evaluation.gates.comparison import PairedMetric, findings_of, paired_metric
from penchant.evaluation.gates.probe_ranks import probe_ranks
from penchant.evaluation.gates.probes import ProbeSet
from penchant.evaluation.gates.robustness import noisy_texts
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import NDCG, RECALL, Finding, GateOutcome, Verdict
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream
from penchant.system.progress import Progress, no_progress

ALL, NOISY_TEXTS = "all rankings", "careless texts"


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
    progress: Progress = no_progress,
) -> Verdict:
    """Compares a candidate with the baseline, ranking by ranking.

    Args:
        stream: the log; its newest part is ranked for, everything before is learnt first.
        baseline: the side that serves now.
        candidate: the side that would replace it.
        budgets: losses that are allowed; default: `Budgets()`.
        probes: frozen rankings of earlier eras.
        attributes: attributes of items; each of their values is a cohort.
        validation: events that are ranked for; default: `Validation()`.
        seed: seed of the resamples and of the noise in texts.
        progress: called as each step advances.

    Returns:
        Findings in this order: validation, cohorts, attributes (sorted by value), probes as given,
        robustness. Equal arguments give equal verdicts.

    Raises:
        ConfigError: no event can be ranked for, there is too little data to judge at all, no item
            has an attribute, or vectors do not match the items.

    Cost: four encodings of the catalog, fewer with an encoder that caches, and four replays.
    """
    chosen, budgets = validation or Validation(), budgets or Budgets()
    for attribute in attributes:
        attribute_shares(stream.items, attribute)  # Raises its error before the long work.
    replay_config, targets = chosen.choose(stream)
    _require_enough(stream, targets, budgets)
    gates = _Gates(stream, baseline, candidate, budgets, seed, replay_config, targets, progress)
    with threadpool_limits(1):  # As `penchant evaluate` does.
        return Verdict((*gates.validation(attributes), *gates.probes(probes), *gates.robustness()))


class _Gates:
    """Both sides with their rankings of the validation part, which several gates share."""

    def __init__(
        self,
        stream: Stream,
        baseline: Side,
        candidate: Side,
        budgets: Budgets,
        seed: int,
        replay_config: ReplayConfig,
        targets: EvaluationTargets,
        progress: Progress,
    ) -> None:
        self._stream = stream
        self._sides = {"baseline": baseline, "candidate": candidate}
        self._budgets, self._seed = budgets, seed
        self._replay_config, self._targets = replay_config, targets
        self._user = stream.user[targets.positions]
        self._progress = progress
        self._ranks: dict[str, Float64] = {}

    def validation(self, attributes: Sequence[str]) -> list[Finding]:
        """Judges all rankings together, then the usual cohorts, then those of each attribute."""
        texts = [item.text for item in self._stream.items]
        self._ranks = self._replayed(texts, "")
        before, after = self._ranks["baseline"], self._ranks["candidate"]
        whole = [paired_metric(ALL, name, before, after, self._user) for name in (NDCG, RECALL)]
        findings = self._judged("validation", whole, self._budgets.overall)
        findings += self._cohorts("cohorts", usual_cohorts(self._stream, self._targets))
        for attribute in attributes:
            masks = attribute_cohorts(self._stream, self._targets, attribute)
            findings += self._cohorts(f"attribute {attribute}", masks)
        return findings

    def probes(self, probes: Sequence[ProbeSet]) -> list[Finding]:
        """Judges each probe set."""
        budget = self._budgets.probes
        if probes and self._without_encoder():
            return [self._not_judged("probes", _of(one), budget) for one in probes]
        comparisons = []
        for one in probes:
            ranks = {}
            for name, side in self._sides.items():
                self._progress(f"{name}, {_of(one)}", 0.0)
                ranks[name] = probe_ranks(one, side.vectors(one.texts), side.config.fold)
                self._progress(f"{name}, {_of(one)}", 1.0)
            sides = ranks["baseline"], ranks["candidate"]
            comparisons.append(paired_metric(_of(one), NDCG, *sides, one.user))
        return self._judged("probes", comparisons, budget)

    def robustness(self) -> list[Finding]:
        """Judges the candidate's loss to noisy texts beyond the baseline's."""
        budget = self._budgets.robustness
        if self._without_encoder():
            return [self._not_judged("robustness", NOISY_TEXTS, budget)]
        texts = noisy_texts([item.text for item in self._stream.items], self._seed)
        ranks = self._replayed(texts, f" with {NOISY_TEXTS}")
        plain = {name: metrics.ndcg(self._ranks[name], 10) for name in self._sides}
        changes = {name: metrics.ndcg(ranks[name], 10) - plain[name] for name in self._sides}
        before, after = changes["baseline"], changes["candidate"]
        scale = float(plain["baseline"].mean())
        whole = PairedMetric(NOISY_TEXTS, f"Δ{NDCG}", before, after, self._user, scale)
        return self._judged("robustness", [whole], budget)

    def _replayed(self, texts: Sequence[str], suffix: str) -> dict[str, Float64]:
        """Ranks of both sides by name, each from one replay with these texts of the catalog."""
        first, count = self._replay_config.start(self._stream), len(self._stream.events)
        ranks = {}
        for name, side in self._sides.items():
            step = f"{name}{suffix}"
            self._progress(step, 0.0)

            def on_event(position: int, step: str = step) -> None:
                self._progress(step, (position + 1 - first) / (count - first))

            vectors = side.vectors(texts)
            ranks[name] = side.ranks(
                self._stream, vectors, self._targets, self._replay_config, on_event
            )
        return ranks

    def _cohorts(self, gate: str, masks: dict[str, Mask]) -> list[Finding]:
        before, after = self._ranks["baseline"], self._ranks["candidate"]
        comparisons = [
            paired_metric(name, NDCG, before[mask], after[mask], self._user[mask])
            for name, mask in masks.items()
        ]
        return self._judged(gate, comparisons, self._budgets.cohort)

    def _judged(self, gate: str, comparisons: list[PairedMetric], budget: float) -> list[Finding]:
        return findings_of(gate, comparisons, budget, self._budgets, self._seed)

    def _without_encoder(self) -> bool:
        return any(side.text_encoder is None for side in self._sides.values())

    def _not_judged(self, gate: str, cohort: str, budget: float) -> Finding:
        note = "not judged: vectors alone can't be asked about other texts; give encoders"
        return Finding(gate, cohort, NDCG, GateOutcome.NOT_JUDGED, budget=budget, note=note)


def _require_enough(stream: Stream, targets: EvaluationTargets, budgets: Budgets) -> None:
    rankings, users = len(targets.positions), _distinct(stream.user[targets.positions])
    if rankings < budgets.min_rankings or users < budgets.min_users:
        raise ConfigError(
            f"validation: got {rankings:,} rankings of {users:,} users, expected at least "
            f"{budgets.min_rankings:,} of {budgets.min_users:,} to judge by; give a longer log or "
            "a larger validation part, or lower --min-rankings and --min-users"
        )


def _of(probes: ProbeSet) -> str:
    return f"probes of {probes.era}"


def _distinct(numbers: Int64) -> int:
    return len(np.unique(numbers))
