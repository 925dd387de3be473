"""Latencies as they come in, and what is told of them: counts, quantiles, failures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb's requests; latencies in milliseconds."""

    requests: int
    failures: int
    p50: float
    p95: float
    p99: float
    longest: float
    sent_p50: float
    """Counted from when it was sent, not from when it was due: the server's and client's work."""
    sent_p99: float


@dataclass(frozen=True, slots=True)
class Results:
    """One run, its warm-up left out."""

    verbs: dict[str, Verb]
    errors: dict[str, int]
    """How often each error came, by its text."""
    seconds: float

    @property
    def requests(self) -> int:
        """All requests, failed ones included."""
        return sum(verb.requests for verb in self.verbs.values())

    @property
    def failures(self) -> int:
        """All failed requests."""
        return sum(verb.failures for verb in self.verbs.values())

    @property
    def rate(self) -> float:
        """Requests that succeeded, a second."""
        return (self.requests - self.failures) / self.seconds

    def write(self, path: Path) -> None:
        """Writes them as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read(path: Path) -> Results:
    """The inverse of `Results.write`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    verbs = {name: Verb(**verb) for name, verb in content["verbs"].items()}
    return Results(verbs, content["errors"], content["seconds"])


@dataclass(slots=True)
class _Taken:
    from_due_ms: list[float] = field(default_factory=list)
    from_sent_ms: list[float] = field(default_factory=list)
    failures: int = 0


class Recorder:
    """Takes each request's latency, twice: from when it was due, and from when it was sent."""

    def __init__(self) -> None:
        self._taken: dict[str, _Taken] = {}
        self._errors: Counter[str] = Counter()

    def take(self, verb: str, from_due_ms: float, from_sent_ms: float, error: str = "") -> None:
        """One request. A failed one counts with its latency: failing fast must not look good."""
        taken = self._taken.setdefault(verb, _Taken())
        taken.from_due_ms.append(from_due_ms)
        taken.from_sent_ms.append(from_sent_ms)
        if error:
            taken.failures += 1
            self._errors[error] += 1

    def results(self, seconds: float) -> Results:
        """What was taken in so many seconds."""
        verbs = {name: _summary(taken) for name, taken in sorted(self._taken.items())}
        return Results(verbs, dict(self._errors.most_common()), seconds)


def quantile(ordered: Sequence[float], fraction: float) -> float:
    """The smallest value that at least this fraction of the values do not exceed.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5), quantile([1.0, 2.0, 3.0, 4.0], 0.99)
    (2.0, 4.0)
    """
    if not ordered:
        raise ValueError("quantile: got no values, expected 1 or more")
    place = -int(-fraction * len(ordered) // 1)  # Rounded up.
    return ordered[max(0, min(len(ordered), place) - 1)]


def _summary(taken: _Taken) -> Verb:
    due, sent = sorted(taken.from_due_ms), sorted(taken.from_sent_ms)
    return Verb(
        requests=len(due),
        failures=taken.failures,
        p50=quantile(due, 0.5),
        p95=quantile(due, 0.95),
        p99=quantile(due, 0.99),
        longest=due[-1],
        sent_p50=quantile(sent, 0.5),
        sent_p99=quantile(sent, 0.99),
    )
