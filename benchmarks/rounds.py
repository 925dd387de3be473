"""Measurement in rounds: each measure once per round, so that a slow spell affects all alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.table import RatioRow, RatioTarget
from penchant.report.quantile import quantile

Measure = Callable[[int], "list[float] | float"]
"""Runs one round, given its number; returns latencies in milliseconds or requests per second."""


@dataclass(slots=True)
class Series:
    """Values of one measure over the rounds."""

    rounds: list[float] = field(default_factory=list)
    """Median latency in milliseconds, or requests per second, of each round."""
    all_ms: list[float] = field(default_factory=list)
    """Latencies of all rounds, in milliseconds."""

    def add(self, value: list[float] | float) -> None:
        """Adds the result of a round."""
        if isinstance(value, list):
            self.rounds.append(statistics.median(value))
            self.all_ms += value
        else:
            self.rounds.append(value)

    @property
    def middle(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.rounds)

    def quantile(self, fraction: float) -> float:
        """Quantile of the latencies of all rounds, in milliseconds.

        >>> Series(all_ms=[3.0, 1.0, 2.0]).quantile(0.5)
        2.0
        """
        return quantile(self.all_ms, fraction)


def run(
    measures: Mapping[str, Measure], rounds: int, say: Callable[[str], None]
) -> dict[str, Series]:
    """Runs every measure once per round, in reverse order in every second round.

    Args:
        measures: measures by name.
        rounds: number of rounds.
        say: called with a description of each measurement.
    """
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
    """A row with the ratio measured / (factor * peer + added), as the median over the rounds.

    Args:
        name: name of the row.
        unit: unit of the measured values.
        measured: values to judge.
        peer: values to compare with, from the same rounds.
        peer_name: name of the comparison.
        target: bound on the ratio, if there is one.
        factor: factor applied to the peer's values.
        added: values added to the peer's.

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
