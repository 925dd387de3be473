"""The verdict of the shape `overload`: its figures, held against the goals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.resources import ResourceTrend

LEAST_GOODPUT = 0.9
"""Smallest share of the peak that a burst may leave."""
LONGEST_RECOVERY_S = 2.0
LARGEST_P99_RATIO = 3.0
"""Largest p99 of others' small calls in the burst, as a multiple of the one before."""
LATEST_MS = 200.0
"""Largest p99 of how late calls are sent at which a run is judged."""
USUAL_P99_MS = 10.0
"""A p99 before the burst below this counts as this: a scheduler's time slice is not a stall."""


@dataclass(frozen=True, slots=True)
class OverloadFigures:
    """A server under one kind of call."""

    kind: str
    peak_per_s: float
    """Answered calls per second at the best step of a closed loop."""
    offered_per_s: float
    """Calls per second in the burst."""
    burst_goodput_per_s: float
    """Calls per second due in the burst that were answered within their deadline."""
    calm_success: float
    """Share of the calls before the burst that were answered."""
    recovery_s: float
    """Seconds after the burst from which on nearly all calls were answered again."""
    small_p99_ms: Mapping[str, tuple[float, float]]
    """p99 of others' small calls, before the burst and in it."""
    small_success: Mapping[str, float]
    """Share of others' small calls in the burst that were answered."""
    late_ms: float
    """p99 of how late this program sent the calls; large: the load was less than stated."""
    errors: Mapping[str, int]
    """Failed calls by the exception's name."""

    @property
    def judged(self) -> bool:
        """Whether the load was as stated: this program kept up with it."""
        return self.late_ms <= LATEST_MS

    @property
    def goodput(self) -> float:
        """Share of the peak that the burst left."""
        return self.burst_goodput_per_s / self.peak_per_s

    def p99_ratio(self, name: str) -> float:
        """How much slower others' small calls were in the burst."""
        before, burst = self.small_p99_ms[name]
        return burst / max(before, USUAL_P99_MS)

    def missed(self) -> list[str]:
        """The goals that were missed, in words; none if the load was less than stated."""
        texts: list[str] = []
        if not self.judged:
            return texts
        if self.goodput < LEAST_GOODPUT:
            texts.append(
                f"{self.kind}: goodput of {self.goodput:.2f} of the peak, "
                f"expected at least {LEAST_GOODPUT}"
            )
        if self.recovery_s > LONGEST_RECOVERY_S:
            texts.append(
                f"{self.kind}: recovery after {self.recovery_s:.1f} s, "
                f"expected at most {LONGEST_RECOVERY_S:g} s"
            )
        for name in self.small_p99_ms:
            if (ratio := self.p99_ratio(name)) > LARGEST_P99_RATIO:
                texts.append(
                    f"{self.kind}: p99 of others' {name} {ratio:.1f} times the usual, "
                    f"expected at most {LARGEST_P99_RATIO:g} times"
                )
        return texts


@dataclass(frozen=True, slots=True)
class OverloadReport:
    """Every kind of call, and what the server's processes held meanwhile."""

    figures: Sequence[OverloadFigures]
    resources: Sequence[ResourceTrend]

    @property
    def broken(self) -> list[str]:
        """The goals that were missed, in words."""
        return [text for one in self.figures for text in one.missed()]

    def write(self, path: Path) -> None:
        """Writes the report as JSON."""
        content = {**asdict(self), "missed": self.broken, "passed": not self.broken}
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Prints the figures, the goals that were missed, and the resources."""
        table = Table("calls", title="Three times the capacity", title_justify="left")
        for column in ("peak/s", "offered/s", "goodput", "recovery s", "others' p99 ms", "errors"):
            table.add_column(column, justify="right")
        for one in self.figures:
            small = "\n".join(
                f"{name} {before:.0f} → {burst:.0f} ({one.small_success[name]:.1%} ok)"
                for name, (before, burst) in one.small_p99_ms.items()
            )
            errors = "\n".join(f"{count} {name}" for name, count in one.errors.items())
            table.add_row(
                one.kind,
                f"{one.peak_per_s:,.0f}",
                f"{one.offered_per_s:,.0f}",
                f"{one.goodput:.2f}",
                f"{one.recovery_s:.1f}",
                small,
                errors,
            )
        console.print(table)
        show_resources(self.resources, console)
        for one in self.figures:
            if not one.judged:
                late = f"calls were sent up to {one.late_ms:.0f} ms late"
                console.print(f"Not judged: {one.kind}: {late}", markup=False)
        for text in self.broken:
            console.print(f"Missed: {text}", markup=False)


def show_resources(trends: Sequence[ResourceTrend], console: Console) -> None:
    """Prints memory, descriptors and shared memory over the run, and which of them grew."""
    table = Table("held", title="Over the run", title_justify="left")
    for column in ("first", "middle", "last", "highest", "flat"):
        table.add_column(column, justify="right")
    for trend in trends:
        values = (trend.first, trend.middle, trend.last, trend.highest)
        flat = "yes" if trend.flat else "no"
        table.add_row(f"{trend.name} {trend.unit}", *(f"{value:,.1f}" for value in values), flat)
    console.print(table)
