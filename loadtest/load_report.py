"""The verdict: thresholds on a run's results, as a summary, as JSON and as an exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.results import Results


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a run must keep."""

    failures: int = 0
    """At most so many failed requests."""
    p99_ms: Mapping[str, float] = field(default_factory=lambda: {"rank": 100.0, "feedback": 150.0})
    """At most so long, by verb, counted from when a request was due."""
    sent: float = 0.99
    """At least this share of the arrivals that were due was sent."""


def broken(results: Results, rate: float, thresholds: Thresholds) -> list[str]:
    """What a run did not keep, in words; empty where all is well.

    Args:
        results: of the run.
        rate: arrivals that were due, a second.
        thresholds: what to keep.
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
            texts.append(f"{verb}: no request, expected some")
        elif results.verbs[verb].p99 > most:
            got = results.verbs[verb].p99
            texts.append(f"{verb}: p99 of {got:.1f} ms, expected at most {most:g} ms")
    share = results.requests / (rate * results.seconds)
    if share < thresholds.sent:
        texts.append(
            f"arrivals: {share:.1%} of them were sent, expected at least {thresholds.sent:.0%}"
        )
    return texts


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A whole load test."""

    capacity: float | None
    """Requests a second of the closed loop before; None where the rate was given."""
    rate: float
    """Arrivals a second of the open loop."""
    clients: int
    results: Results
    broken: list[str]

    def write(self, path: Path) -> None:
        """Writes it as JSON."""
        content = {**asdict(self), "passed": not self.broken}
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Prints it."""
        capacity = "" if self.capacity is None else f" (capacity {self.capacity:,.0f}/s)"
        title = (
            f"{self.rate:,.0f} arrivals a second{capacity} for {self.results.seconds:g} s, "
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
        for text in self.broken:
            console.print(f"Not kept: {text}", markup=False)
