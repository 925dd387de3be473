"""Finds the highest rate at which a server keeps its service level, under open-loop load."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from penchant.capacity.capacity_file import unfinished_levels, write_levels
from penchant.capacity.capacity_request import CapacityRequest
from penchant.capacity.measured_level import MeasuredLevel, judged
from penchant.capacity.noisy_bisection import CredibleInterval, NoisyBisection
from penchant.capacity.open_loop import LoadLevel, Senders
from penchant.capacity.process_usage import CpuUse, UsageMeter
from penchant.capacity.saturation import Bottleneck, bottleneck
from penchant.capacity.service_level import ServiceLevel
from penchant.capacity.stand_in_server import measured_server
from penchant.system.progress import Progress, no_progress

_LEAST_DEADLINE_S = 1.0
_DEADLINES = 5
"""Deadline of a call, as a multiple of the p99 to keep: beyond it nobody waits."""
_SETTLE_S = 0.5
"""Pause after a level that was too much, in which the server's queues empty."""


@dataclass(frozen=True, slots=True)
class CapacityFound:
    """The capacity of a server, or what is known of it so far."""

    about: str
    """What was measured."""
    service: ServiceLevel
    interval: CredibleInterval
    """90 % interval of the highest rate that keeps the service level, in calls per second."""
    outside: str
    """`below` or `above` if that rate lies beyond those tried; else empty."""
    levels: Sequence[MeasuredLevel]
    """In the order of measuring."""
    full: Bottleneck | None
    """What saturates."""
    finished: bool
    """Whether the interval is as narrow as was asked for."""


def search_capacity(
    request: CapacityRequest,
    on_level: Callable[[MeasuredLevel, CredibleInterval], None] = lambda level, interval: None,
    progress: Progress = no_progress,
) -> CapacityFound:
    """Measures rates, each where the answer halves what is not known, until the interval is narrow.

    What is measured is written after each level; a search that was interrupted goes on there.

    Args:
        request: the server, the calls, the service level, the effort.
        on_level: called after each level with the interval so far.
        progress: called with each step.

    Raises:
        ConfigError: options contradict each other, the server gives no good answers, or the output
            holds another search that is not finished.
        LaunchError: a server of its own cannot be started.
    """
    request.check()
    levels = unfinished_levels(request)
    with (
        measured_server(request, progress) as server,
        Senders(server.address, server.mix, request.senders) as senders,
    ):
        while not _done(found_so_far(request, levels, server.about), request):
            found = found_so_far(request, levels, server.about)
            step = f"Level {len(levels) + 1}: {found.interval.middle:,.0f} calls per second"
            progress(step, 0.0)
            level = _load_level(request, found.interval.middle)
            meter = UsageMeter(server.pids)
            use = [CpuUse()]

            def watch(
                start: float,
                level: LoadLevel = level,
                meter: UsageMeter = meter,
                use: list[CpuUse] = use,
                step: str = step,
            ) -> None:
                _sleep_until(start + level.warm_up_s)
                meter.look()
                progress(step, level.warm_up_s / (level.warm_up_s + level.measured_s))
                _sleep_until(start + level.warm_up_s + level.measured_s)
                use[0] = meter.look()

            sent = senders.send(level, f"{request.seed}-{len(levels)}", watch)
            levels.append(judged(level, sent, use[0], request.service))
            found = found_so_far(request, levels, server.about)
            write_found(request, found)
            on_level(levels[-1], found.interval)
            if not levels[-1].holds:
                time.sleep(_SETTLE_S)
        found = found_so_far(request, levels, server.about)
    write_found(request, found)
    return found


def found_so_far(
    request: CapacityRequest, levels: Sequence[MeasuredLevel], about: str = ""
) -> CapacityFound:
    """What some levels say, in the order of measuring."""
    search = NoisyBisection(request.lowest, request.highest)
    for one in levels:
        search.learn(one.rate, one.chance)
    interval = search.interval()
    return CapacityFound(
        about,
        request.service,
        interval,
        search.outside(),
        levels,
        bottleneck(levels, interval.middle, request.service),
        interval.ratio <= 1 + request.precision,
    )


def write_found(request: CapacityRequest, found: CapacityFound) -> None:
    """Writes what is known to the output's file."""
    interval = found.interval
    outcome = {
        "about": found.about,
        "service_level": found.service.describe(),
        "capacity_per_s": interval.middle,
        "interval_90_per_s": [interval.low, interval.high],
        "outside": found.outside,
        "saturates": found.full.what if found.full else "",
    }
    write_levels(request, found.levels, outcome, finished=_done(found, request))


def _done(found: CapacityFound, request: CapacityRequest) -> bool:
    return found.finished or len(found.levels) >= request.most_levels


def _load_level(request: CapacityRequest, rate: float) -> LoadLevel:
    deadline_s = max(_LEAST_DEADLINE_S, _DEADLINES * request.p99_ms / 1e3)
    return LoadLevel(rate, request.warm_up, request.level, deadline_s)


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))
