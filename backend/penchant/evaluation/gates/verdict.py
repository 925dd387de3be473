"""The findings of the gates, and the verdict that follows from them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import StrEnum

from penchant.report.page import as_json
from penchant.report.text_table import TextTable

NDCG, RECALL = "NDCG@10", "recall@10"


class GateOutcome(StrEnum):
    """Outcome of one comparison."""

    PASSED = "passed"
    WITHIN_CHANCE = "within chance"
    """Over the budget, but chance may explain it with so few rankings: not refused."""
    NOT_JUDGED = "not judged"
    """Not judged; the note of the finding says why."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison of a candidate with the baseline; figures are NaN where there are none."""

    gate: str
    """Name of the gate: `validation`, `cohorts`, `attribute genres`, `probes`, ..."""
    cohort: str
    """Name of the cohort, the probe set or the file."""
    metric: str
    outcome: GateOutcome
    baseline: float = math.nan
    candidate: float = math.nan
    loss: float = math.nan
    """Candidate's loss as a share of the baseline's figure; negative: a gain."""
    low: float = math.nan
    """Lower end of the interval of candidate minus baseline."""
    high: float = math.nan
    """Upper end of that interval."""
    budget: float = math.nan
    """Allowed loss."""
    rankings: int = 0
    users: int = 0
    note: str = ""
    """Reason for an outcome without figures."""

    def __str__(self) -> str:
        """The finding in one line, figures included.

        >>> figures = {"baseline": 0.081, "candidate": 0.043, "loss": 0.469, "budget": 0.03}
        >>> print(Finding("cohorts", "new users", "NDCG@10", GateOutcome.REFUSED, **figures))
        new users: NDCG@10 fell from 0.081 to 0.043 (47 % lost, budget 3 %, 0 rankings)
        """
        if self.note:
            return f"{self.cohort}: {self.note}"
        verb = "fell" if self.candidate < self.baseline else "went"
        return (
            f"{self.cohort}: {self.metric} {verb} from {self.baseline:.3f} to "
            f"{self.candidate:.3f} ({_percent(self.loss)} lost, budget {_percent(self.budget)}, "
            f"{self.rankings:,} rankings)"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings, in the order in which the gates run."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no finding refuses the candidate."""
        return not self.refused

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings that refuse it, the worst first: files, then by loss."""
        found = [one for one in self.findings if one.outcome is GateOutcome.REFUSED]
        return tuple(sorted(found, key=_badness, reverse=True))

    def text(self) -> str:
        """The verdict in one line, with the worst finding of a refusal."""
        of = {kind: [one for one in self.findings if one.outcome is kind] for kind in GateOutcome}
        if self.passed:
            rest = [f"{len(of[kind])} {kind}" for kind in _NEITHER if of[kind]]
            counts = ", ".join([f"{len(of[GateOutcome.PASSED])} within budget", *rest])
            return f"gate: passed: {counts}"
        worst, *others = self.refused
        more = f"; and {len(others)} more" if others else ""
        return f"gate: refused: {worst}{more}"

    def json(self) -> str:
        """Verdict and findings as JSON, with null in place of NaN."""
        findings = [dataclasses.asdict(finding) for finding in self.findings]
        return as_json({"passed": self.passed, "verdict": self.text(), "findings": findings})

    def table(self) -> TextTable:
        """The findings as a table of text."""
        columns = ["", "before", "after", "lost", "budget", "rankings", "outcome"]
        rows = [
            [
                one.cohort if one.metric == NDCG else f"{one.cohort}, {one.metric}",
                _number(one.baseline),
                _number(one.candidate),
                _percent(one.loss),
                _percent(one.budget),
                f"{one.rankings:,}" if one.rankings else "–",
                str(one.outcome),
            ]
            for one in self.findings
        ]
        return TextTable(
            f"Baseline (before) and candidate (after), {NDCG} where no other is named",
            columns,
            rows,
        )


_NEITHER = (GateOutcome.WITHIN_CHANCE, GateOutcome.NOT_JUDGED)


def _badness(finding: Finding) -> float:
    return math.inf if math.isnan(finding.loss) else finding.loss


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _percent(share: float) -> str:
    """A share in percent, with one decimal below 10 %.

    >>> _percent(0.469), _percent(0.03), _percent(0.0123), _percent(math.nan), _percent(-0.0001)
    ('47 %', '3 %', '1.2 %', '–', '0 %')
    """
    if math.isnan(share):
        return "–"
    percent = round(100 * share, 1 if abs(share) < 0.1 else 0)
    return f"{percent + 0.0:g} %"
