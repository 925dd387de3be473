"""How many servers a number of users needs, and what each holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from benchmarks.fleet.call_costs import CallCosts
from benchmarks.fleet.fleet_assumptions import FleetAssumptions
from benchmarks.fleet.server_queue import OfferedLoad, ServerCosts, ServerShape, simulated
from penchant.report.quantile import quantile

_DAY_S = 86_400.0
_CALLS = 12_000
"""Simulated calls of one trial."""
_LIMITS = 20
"""Simulated time of a trial, at least, as a multiple of the p99."""
_TRIALS = 9
_ROOM = 0.7
"""Share of a server's capacity that is planned for, so that a burst finds room."""
_GB = 1e9
_CALL_BYTES, _ACK_BYTES, _HEADER_BYTES = 200.0, 100.0, 150.0
"""Bytes on the wire of a call, of an acknowledgement, and of the headers of a reply."""


@dataclass(frozen=True, slots=True)
class FleetSize:
    """What a number of users needs."""

    users: int
    rankings_per_s: float
    """At the peak."""
    events_per_s: float
    per_server: float
    """Calls per second that one server bears within the p99."""
    for_calls: int
    """Servers for the calls of the peak."""
    for_disk: int
    """Servers for what the disks hold."""
    for_memory: int
    """Servers for what memory holds."""
    memory_gb: float
    """Memory of a server for catalog and hot records."""
    disk_gb: float
    """Disk of all servers, copies included."""
    network_mb_per_s: float
    """Network of one server at the peak, both ways, in MB a second."""
    outage_s: float
    """Seconds from a server's fault until its users' p99 holds again."""
    refold_core_hours: float
    """Processor time of folding everybody again."""
    refold_hours: float
    """Hours of that on the cores that the peak leaves free, in all servers."""
    first_ranking_ms: float
    """What a fold adds to the first ranking of a user after a release."""

    @property
    def servers(self) -> int:
        """Servers for all of it."""
        return max(self.for_calls, self.for_disk, self.for_memory)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return {**asdict(self), "servers": self.servers}


def plan(users: int, given: FleetAssumptions, costs: CallCosts, bears: float) -> FleetSize:
    """The servers for a number of users, each of whom one server serves.

    Args:
        users: number of users.
        given: the service and its machines.
        costs: of calls and of what is kept.
        bears: calls per second that one server bears, as `capacity_of` finds them.
    """
    daily = users * given.active_share
    rankings = daily * given.rankings_a_day / _DAY_S * given.peak
    events = daily * given.events_a_day / _DAY_S * given.peak
    share = given.rank_share
    stored, mapped = costs.item_bytes(given.dimensions)
    catalog_gb = given.items * (stored + mapped) / _GB
    record_gb = users * costs.user_bytes(given.window) / _GB
    daily_events = daily * given.events_a_day
    log_gb = daily_events * given.kept_days * costs.event_bytes() / _GB
    room_gb = given.memory_gb * 0.8 - catalog_gb
    for_calls = math.ceil((rankings + events) / (_ROOM * bears))
    for_memory = math.ceil(record_gb * given.hot_share / room_gb)
    for_disk = math.ceil((record_gb + log_gb) / (given.disk_gb * 0.7 - catalog_gb))
    servers = max(for_calls, for_memory, for_disk, 1)
    fold_s = costs.fold_us(given.window, given.dimensions) / 1e6
    free_cores = given.cores * (1 - min(_ROOM, (rankings + events) / servers / bears))
    per_server = (rankings + events) / servers
    replied = share * costs.reply_bytes(given.k) + (1 - share) * _ACK_BYTES
    bytes_a_call = _CALL_BYTES + _HEADER_BYTES + replied
    return FleetSize(
        users=users,
        rankings_per_s=rankings,
        events_per_s=events,
        per_server=bears,
        for_calls=max(for_calls, 1),
        for_disk=for_disk,
        for_memory=for_memory,
        memory_gb=catalog_gb + record_gb * given.hot_share / servers,
        disk_gb=given.copies * (record_gb + log_gb + servers * catalog_gb),
        network_mb_per_s=per_server * bytes_a_call / 1e6,
        outage_s=outage_s(given, per_server, bears),
        refold_core_hours=users * fold_s / 3600,
        refold_hours=users * fold_s / (servers * free_cores) / 3600,
        first_ranking_ms=fold_s * 1e3,
    )


def outage_s(given: FleetAssumptions, rate: float, bears: float) -> float:
    """Seconds from a fault until the calls that waited are answered: the restart and the backlog.

    The calls of the outage come again, and are worked off by what the server bears beyond the
    arrivals that go on meanwhile.
    """
    backlog = rate * given.restart_s * given.retried_share
    return given.restart_s + backlog / max(bears - rate, 1e-9)


def capacity_of(given: FleetAssumptions, costs: CallCosts, calls: int = _CALLS) -> float:
    """The most calls per second of one server whose p99 is kept, by bisection on a simulation.

    Args:
        given: the service and its machines.
        costs: of calls.
        calls: simulated calls of one trial.
    """
    server = server_costs(given, costs)
    shape = ServerShape(given.cores, max(1, given.cores - 4))

    @cache
    def kept(rate: float) -> bool:
        load = OfferedLoad(rate * given.rank_share, rate * (1 - given.rank_share))
        return keeps_p99(shape, server, load, given.p99_ms, calls)

    return highest(kept, 10.0, 1e5)


def keeps_p99(
    shape: ServerShape, costs: ServerCosts, load: OfferedLoad, most_ms: float, calls: int = _CALLS
) -> bool:
    """Whether both kinds of calls keep a p99 in a simulation that sees a slow growth too."""
    rate = load.rank_per_s + load.feedback_per_s
    seconds = max(calls / rate, _LIMITS * most_ms / 1e3)
    run = simulated(shape, costs, load, seconds)
    if run.left > rate * most_ms / 1e3:  # Little's law: those inside have been there too long.
        return False
    kinds = [(load.rank_per_s, run.rank_s), (load.feedback_per_s, run.feedback_s)]
    return all(p99_ms(took_s) <= most_ms for offered, took_s in kinds if offered)


def server_costs(given: FleetAssumptions, costs: CallCosts) -> ServerCosts:
    """The costs of a server's calls under its assumptions."""
    rank_us = costs.rank_us(given.items, given.dimensions, given.k) * given.server_factor

    @cache
    def commit_s(events: int) -> float:
        return costs.commit_us(events, given.window, given.dimensions) / 1e6

    return ServerCosts(rank_us / 1e6, given.triton_us / 1e6, commit_s, given.sync_ms / 1e3)


def p99_ms(seconds: list[float]) -> float:
    """The p99 in milliseconds; infinite where nothing was answered."""
    return quantile(seconds, 0.99) * 1e3 if seconds else math.inf


def highest(kept: Callable[[float], bool], low: float, high: float) -> float:
    """The highest rate that is kept, on a log scale to a few per cent; `low` must be."""
    for _ in range(_TRIALS):
        middle = math.sqrt(low * high)
        if kept(middle):
            low = middle
        else:
            high = middle
    return low
