"""What the simulation assumes, each with its reason, in one table."""

from __future__ import annotations

from dataclasses import dataclass, fields

from penchant.system.attribute_docs import attribute_docs


@dataclass(frozen=True, slots=True)
class FleetAssumptions:
    """A service and its machines."""

    active_share: float = 0.2
    """Share of the users who come on a day"""
    rankings_a_day: float = 20.0
    """Rankings of an active user on a day"""
    events_a_day: float = 10.0
    """Events of an active user on a day, one a call"""
    peak: float = 3.0
    """Calls of the busiest hour over those of the mean one"""
    items: int = 100_000
    """Items in the catalog; rankings are of all of them"""
    k: int = 10
    """Items of a list"""
    window: int = 256
    """Events in a window, all of them full"""
    dimensions: int = 64
    """Dimensions of a vector"""
    kept_days: float = 30.0
    """Days that the log is kept"""
    cores: int = 16
    """Cores of a server, each as fast as the one measured"""
    memory_gb: float = 64.0
    """Memory of a server, in GB"""
    disk_gb: float = 2000.0
    """Disk of a server, in GB"""
    hot_share: float = 0.2
    """Share of the records that should be in memory: those of a day's users"""
    p99_ms: float = 50.0
    """The p99 that rankings and feedback must keep, in milliseconds"""
    sync_ms: float = 0.2
    """Time of a synced write, in milliseconds"""
    server_factor: float = 3.0
    """Processor time of a ranking in a server over that in a tight loop: other calls have had the
    caches meanwhile"""
    triton_us: float = 150.0
    """Processor time of Triton for a call, in microseconds"""
    copies: int = 2
    """Copies of all data: the server's and a backup's"""
    restart_s: float = 6.0
    """Seconds from the end of a Triton until it answers again, as docs/reliability.md saw it"""
    retried_share: float = 1.0
    """Share of the calls of an outage that come again after it"""

    @property
    def rank_share(self) -> float:
        """Share of the calls that rank."""
        return self.rankings_a_day / (self.rankings_a_day + self.events_a_day)


def assumption_rows(assumptions: FleetAssumptions) -> list[tuple[str, str]]:
    """What each assumption says, and its value, in order."""
    docs = attribute_docs(FleetAssumptions)
    return [
        (" ".join(docs[one.name].split()), f"{getattr(assumptions, one.name):g}")
        for one in fields(FleetAssumptions)
    ]
