"""One rate as it was measured: what came back, how fast, and what it says of the service level."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from penchant.capacity.open_loop import LoadLevel, SentCalls, in_order
from penchant.capacity.process_usage import CpuUse
from penchant.capacity.service_level import SLOW_SHARE, ServiceLevel, chance_within
from penchant.report.quantile import quantile

_LATE_SHARE = 0.25
"""A p99 of the senders' own delay above this share of the level's p99 limit spoils a level."""


@dataclass(frozen=True, slots=True)
class MeasuredLevel:
    """The figures of one level; latencies in milliseconds from when a call was due."""

    rate: float
    """Arrivals per second that were asked for."""
    calls: int
    answered_per_s: float
    """Calls per second that were answered."""
    p50_ms: float
    p99_ms: float
    longest_ms: float
    p99_by_verb_ms: Mapping[str, float]
    slow_share: float
    """Share of the calls that failed, or were not answered within the limit of the p99."""
    failed_share: float
    errors: Mapping[str, int]
    """Failed calls by reason."""
    late_p99_ms: float
    """p99 of how late the senders were, which the latencies include."""
    chance: float
    """Probability that the service level holds at this rate, by this level alone."""
    cores: Mapping[str, float]
    """Cores that each process of the server used."""
    sender_cores: float
    machine_cores: float
    """Cores that all processes of the machine of the senders used."""
    machine_has: int
    """Cores of that machine."""

    @property
    def holds(self) -> bool:
        """Whether the service level held, more likely than not."""
        return self.chance >= 0.5

    @property
    def others_cores(self) -> float:
        """Cores that neither the server, as far as it is seen, nor the senders used."""
        return max(0.0, self.machine_cores - sum(self.cores.values()) - self.sender_cores)

    def spoilt(self, level: ServiceLevel) -> bool:
        """Whether the senders were too late for the level to say much of the server."""
        return self.late_p99_ms > _LATE_SHARE * level.p99_ms

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> MeasuredLevel:
        """The level that `as_dict` wrote."""
        return cls(**content)


def judged(level: LoadLevel, sent: SentCalls, use: CpuUse, service: ServiceLevel) -> MeasuredLevel:
    """The figures of a level.

    Args:
        level: the rate, and for how long.
        sent: its calls; without any, the level says nothing (`chance` of 0.5).
        use: cores in use over its measured part.
        service: what the server must keep.
    """
    order = in_order(sent)
    slow = [sent.failed[at] or sent.took_ms[at] > service.p99_ms for at in order]
    failed = [sent.failed[at] for at in order]
    took, count = sent.took_ms or [0.0], max(len(order), 1)
    verbs = {
        verb: quantile([took_ms for _, took_ms in group], 0.99)
        for verb, group in itertools.groupby(
            sorted(zip(sent.verb, sent.took_ms, strict=True)), key=lambda pair: pair[0]
        )
    }
    return MeasuredLevel(
        rate=level.rate,
        calls=len(order),
        answered_per_s=(len(order) - sum(failed)) / level.measured_s,
        p50_ms=quantile(took, 0.5),
        p99_ms=quantile(took, 0.99),
        longest_ms=max(took),
        p99_by_verb_ms=verbs,
        slow_share=sum(slow) / count,
        failed_share=sum(failed) / count,
        errors=dict(sent.errors.most_common()),
        late_p99_ms=quantile(sent.late_ms or [0.0], 0.99),
        chance=min(chance_within(slow, SLOW_SHARE), chance_within(failed, service.failed_share)),
        cores=dict(use.by_process),
        sender_cores=sent.sender_cpu_s / (level.warm_up_s + level.measured_s),
        machine_cores=use.machine,
        machine_has=use.cores,
    )
