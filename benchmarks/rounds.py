"""Measures in rounds: everything once, then everything again, so that drift hits all alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.table import RatioRow, RatioTarget

Measure = Callable[[int], "list[float] | float"]
"""From a round's number to latencies in milliseconds, or to requests a second."""


@dataclass(slots=True)
class Series:
    """One measurement's values, a round each."""

    rounds: list[float] = field(default_factory=list)
    """The median latency of each round, or its throughput."""
    all_ms: list[float] = field(default_factory=list)
    """Every latency of every round."""

    def add(self, value: list[float] | float) -> None:
        """Adds a round."""
        if isinstance(value, list):
            self.rounds.append(statistics.median(value))
            self.all_ms += value
        else:
            self.rounds.append(value)

    @property
    def middle(self) -> float:
        """The median round."""
        return statistics.median(self.rounds)

    def quantile(self, fraction: float) -> float:
        """A quantile of all latencies, in milliseconds.

        >>> Series(all_ms=[3.0, 1.0, 2.0]).quantile(0.5)
        2.0
        """
        ordered = sorted(self.all_ms)
        return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def run(
    measures: Mapping[str, Measure], rounds: int, say: Callable[[str], None]
) -> dict[str, Series]:
    """Every measure once a round; each second round backwards, so that none is always first."""
    series = {name: Series() for name in measures}
    for number in range(rounds):
        names = list(measures) if number % 2 == 0 else list(measures)[::-1]
        for name in names:
            say(f"Round {number + 1} of {rounds}: {name}")
            series[name].add(measures[name](number))
    return series


def compare(
    name: str,
    unit: str,
    measured: Series,
    peer: Series,
    peer_name: str,
    target: RatioTarget | None = None,
    *,
    factor: float = 1.0,
    added: Series | None = None,
) -> RatioRow:
    """A row of the table: measured / (factor * peer + added), the median over the rounds.

    >>> compare("a", "ms", Series([2.0, 9.0]), Series([1.0, 3.0]), "b").ratio
    2.5
    """
    extra = added.rounds if added is not None else [0.0] * len(peer.rounds)
    peers = [factor * value + more for value, more in zip(peer.rounds, extra, strict=True)]
    ratios = [mine / other for mine, other in zip(measured.rounds, peers, strict=True)]
    return RatioRow(
        name,
        measured.middle,
        unit,
        peer=statistics.median(peers),
        peer_name=peer_name,
        ratio=statistics.median(ratios),
        target=target,
    )
