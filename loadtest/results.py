"""Recorded latencies and their summary: counts, quantiles and failures by verb."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penchant.report.quantile import quantile


def by_server(verb: str, server: int) -> str:
    """The name of a verb's calls to one of several servers.

    >>> by_server("rank", 2)
    'rank, server 2'
    """
    return f"{verb}, server {server}"


@dataclass(frozen=True, slots=True)
class VerbSummary:
    """The requests of one verb, with latencies in milliseconds from when a request was due."""

    requests: int
    failures: int
    p50: float
    p95: float
    p99: float
    longest: float
    sent_p50: float
    """p50 counted from when a request was sent, without the time it was late."""
    sent_p99: float
    """p99 counted from when a request was sent."""


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a run, without its warm-up."""

    verbs: dict[str, VerbSummary]
    errors: dict[str, int]
    """Number of occurrences of each error text, most frequent first."""
    seconds: float
    """Duration of the recorded part of the run."""

    @property
    def requests(self) -> int:
        """Number of requests, failed ones included."""
        return sum(verb.requests for verb in self.verbs.values())

    @property
    def failures(self) -> int:
        """Number of failed requests."""
        return sum(verb.failures for verb in self.verbs.values())

    @property
    def rate(self) -> float:
        """Successful requests per second."""
        return (self.requests - self.failures) / self.seconds


@dataclass(slots=True)
class _Recorded:
    from_due_ms: list[float] = field(default_factory=list)
    from_sent_ms: list[float] = field(default_factory=list)
    failures: int = 0


class Recorder:
    """Records each request's latency, counted from its due time and from when it was sent."""

    def __init__(self) -> None:
        self._recorded: dict[str, _Recorded] = {}
        self._errors: Counter[str] = Counter()

    def record(self, verb: str, from_due_ms: float, from_sent_ms: float, error: str = "") -> None:
        """Records one request; a failed one counts with its latency too, however short it was."""
        recorded = self._recorded.setdefault(verb, _Recorded())
        recorded.from_due_ms.append(from_due_ms)
        recorded.from_sent_ms.append(from_sent_ms)
        if error:
            recorded.failures += 1
            self._errors[error] += 1

    def write(self, path: Path) -> None:
        """Writes what was recorded, for `read`."""
        content = {
            "verbs": {name: asdict(one) for name, one in self._recorded.items()},
            "errors": self._errors,
        }
        path.write_text(json.dumps(content), encoding="utf-8")

    def read(self, path: Path) -> None:
        """Adds what another recorder wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        for name, other in content["verbs"].items():
            recorded = self._recorded.setdefault(name, _Recorded())
            recorded.from_due_ms += other["from_due_ms"]
            recorded.from_sent_ms += other["from_sent_ms"]
            recorded.failures += other["failures"]
        self._errors.update(content["errors"])

    def results(self, seconds: float) -> Results:
        """The results of everything recorded in a run of `seconds`."""
        verbs = {name: _summary(recorded) for name, recorded in sorted(self._recorded.items())}
        return Results(verbs, dict(self._errors.most_common()), seconds)


def read_recorded(paths: Iterable[Path], seconds: float) -> Results:
    """The results of all processes of a run of `seconds`."""
    recorder = Recorder()
    for path in paths:
        recorder.read(path)
    return recorder.results(seconds)


def _summary(recorded: _Recorded) -> VerbSummary:
    due, sent = sorted(recorded.from_due_ms), sorted(recorded.from_sent_ms)
    return VerbSummary(
        requests=len(due),
        failures=recorded.failures,
        p50=quantile(due, 0.5),
        p95=quantile(due, 0.95),
        p99=quantile(due, 0.99),
        longest=due[-1],
        sent_p50=quantile(sent, 0.5),
        sent_p99=quantile(sent, 0.99),
    )
