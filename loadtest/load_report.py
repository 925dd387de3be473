"""The verdict of a load test: its results held against thresholds, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.kept_acks import KeptAcks
from loadtest.overload_report import show_resources
from loadtest.resources import ResourceSample, ResourceTrend
from loadtest.results import Results
from loadtest.store_watch import StoreSample


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits that a run must keep."""

    failures: int = 0
    """Most failed requests."""
    p99_ms: Mapping[str, float] = field(default_factory=lambda: {"rank": 100.0, "feedback": 150.0})
    """Largest p99 latency of each verb in milliseconds, counted from when a request was due."""
    sent: float = 0.99
    """Smallest share of the due arrivals that were sent, 0 to 1."""


def broken(results: Results, due: float, thresholds: Thresholds) -> list[str]:
    """The thresholds that a run broke, in words; empty if it kept all of them.

    Args:
        results: results of the run.
        due: number of arrivals that were due.
        thresholds: limits to keep.
    """
    texts = []
    if results.failures > thresholds.failures:
        commonest = next(iter(results.errors), "no text")
        texts.append(
            f"failures: got {results.failures} ({commonest}), "
            f"expected at most {thresholds.failures}"
        )
    for verb, most in thresholds.p99_ms.items():
        if verb not in results.verbs:
            texts.append(f"{verb}: got no request, expected some")
        elif results.verbs[verb].p99 > most:
            got = results.verbs[verb].p99
            texts.append(f"{verb}: p99 of {got:.1f} ms, expected at most {most:g} ms")
    share = results.requests / due
    if share < thresholds.sent:
        texts.append(f"arrivals: {share:.1%} were sent, expected at least {thresholds.sent:.0%}")
    return texts


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Load, results and verdict of a load test."""

    title: str
    """World and shape."""
    capacity: float | None
    """Requests per second of the closed loop before; None if the rate was given."""
    rate: float
    """Arrivals per second of the open loop, at their highest."""
    clients: int
    results: Results
    broken: list[str]
    """Thresholds that were broken, in words."""
    resources: Sequence[ResourceTrend] = ()
    """What the server's processes held over the run."""
    judged_growth: bool = True
    """Whether the run was long enough to tell whether something grew."""
    kept: KeptAcks | None = None
    """Acknowledgements held against the store afterwards, where they were noted."""
    timeline: Sequence[ResourceSample] = ()
    """Some of the looks at the processes."""
    store: Sequence[StoreSample] = ()
    """Looks at a store whose old events were deleted meanwhile."""

    def write(self, path: Path) -> None:
        """Writes the report as JSON."""
        content = {**asdict(self), "passed": not self.broken}
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Prints the report as a table with notes."""
        capacity = "" if self.capacity is None else f" (capacity {self.capacity:,.0f}/s)"
        title = (
            f"{self.title}: {self.rate:,.0f} arrivals per second{capacity} for "
            f"{self.results.seconds:g} s, "
            f"{self.clients} clients"
        )
        table = Table("verb", title=title, title_justify="left")
        for column in ("requests", "failures", "p50 ms", "p95 ms", "p99 ms", "longest ms"):
            table.add_column(column, justify="right")
        for name, verb in self.results.verbs.items():
            latencies = (verb.p50, verb.p95, verb.p99, verb.longest)
            cells = (f"{value:.1f}" for value in latencies)
            table.add_row(name, f"{verb.requests:,}", str(verb.failures), *cells)
        console.print(table)
        console.print("Latencies count from when a request was due, not from when it was sent.")
        for text, count in self.results.errors.items():
            console.print(f"{count} x {text}", markup=False)
        show_resources(self.resources, console)
        if self.kept is not None:
            kept = self.kept
            console.print(
                f"{kept.acknowledged:,} acknowledged events: {kept.lost} lost, {kept.doubled} "
                f"users with doubled ones; {kept.degraded} degraded rankings."
            )
        if self.store:
            first, last = self.store[len(self.store) // 2], self.store[-1]
            console.print(
                f"The store: {first.log_rows:,} events and {first.memory_mib:,.1f} MiB in the "
                f"middle of the run, {last.log_rows:,} and {last.memory_mib:,.1f} MiB at its end."
            )
        if not self.judged_growth:
            console.print("Too short to tell whether memory, descriptors or /dev/shm grow.")
        elif all(trend.flat for trend in self.resources):
            console.print("Memory, descriptors and /dev/shm are flat.")
        for text in self.broken:
            console.print(f"Broken: {text}", markup=False)
