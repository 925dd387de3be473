"""What a server's processes hold over a run, and whether it grows: memory, open files, regions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

SHARED_MEMORY = "/dev/shm/"
SAMPLE_EVERY_S = 2.0
MIB = 1 << 20
FEWEST_SAMPLES = 30
"""Samples below which a run is too short to tell whether something grows."""
UNIT_MIB, UNIT_DESCRIPTORS = "MiB", "descriptors"
MOST_GROWTH = {UNIT_MIB: 8.0, UNIT_DESCRIPTORS: 8.0}
"""By how much the last tenth of a run may be above the middle third, per unit."""
MOST_GROWTH_SHARE = 0.05
"""The same as a share of the middle third; the larger of both counts."""


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """One look at the server."""

    at_s: float
    """Seconds after the start of the watch."""
    memory_mib: dict[str, float]
    """Resident memory of each process in MiB, without the files that it maps: the store's pages
    come and go as the system likes."""
    descriptors: dict[str, int]
    """Open files and sockets of each process."""
    shared_mib: float
    """The regions in /dev/shm that the processes have mapped, in MiB."""


@dataclass(frozen=True, slots=True)
class ResourceTrend:
    """One figure over a run: flat if the end is hardly higher than the middle."""

    name: str
    unit: str
    first: float
    middle: float
    """Mean of the middle third of the run."""
    last: float
    """Mean of the last tenth of the run."""
    highest: float

    @property
    def most(self) -> float:
        """The largest `last` that counts as flat."""
        return self.middle + max(MOST_GROWTH[self.unit], MOST_GROWTH_SHARE * self.middle)

    @property
    def flat(self) -> bool:
        """Whether it did not grow from the middle to the end; what a start takes may come first."""
        return self.last <= self.most


def trends(samples: Sequence[ResourceSample]) -> list[ResourceTrend]:
    """Memory and descriptors of each process, and shared memory, over a run."""
    if not samples:
        return []
    last = samples[-1]
    found = [_trend("/dev/shm", UNIT_MIB, [sample.shared_mib for sample in samples])]
    for name in last.memory_mib:
        memory = [one.memory_mib[name] for one in samples if name in one.memory_mib]
        files = [float(one.descriptors[name]) for one in samples if name in one.descriptors]
        found += [_trend(name, UNIT_MIB, memory), _trend(name, UNIT_DESCRIPTORS, files)]
    return found


def growth(samples: Sequence[ResourceSample]) -> list[str] | None:
    """What grew over a run, in words; empty if all was flat, None if the run was too short to tell.

    A run of T seconds finds what grows by more than 8 MiB, or 5 %, in about half of T.
    """
    if len(samples) < FEWEST_SAMPLES:
        return None
    return [
        f"{trend.name}: {trend.last:,.1f} {trend.unit} in the last tenth of the run after "
        f"{trend.middle:,.1f} in its middle third, expected at most {trend.most:,.1f}"
        for trend in trends(samples)
        if not trend.flat
    ]


def _trend(name: str, unit: str, values: list[float]) -> ResourceTrend:
    third, tenth = len(values) // 3, max(1, len(values) // 10)
    middle, end = values[third : max(third + 1, 2 * third)], values[-tenth:]
    return ResourceTrend(
        name, unit, values[0], sum(middle) / len(middle), sum(end) / len(end), max(values)
    )


class ResourceWatch:
    """Samples a server's processes on a thread while the block runs."""

    def __init__(
        self, pids: Callable[[], Mapping[str, int]], every_s: float = SAMPLE_EVERY_S
    ) -> None:
        """Watches nothing yet.

        Args:
            pids: the process ids by name; asked again for each sample, since one may be replaced.
            every_s: seconds between two samples.
        """
        self.samples: list[ResourceSample] = []
        self._pids = pids
        self._every_s = every_s
        self._started = time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.samples.append(self._sample())
            if self._closing.wait(self._every_s):
                return

    def _sample(self) -> ResourceSample:
        memory: dict[str, float] = {}
        descriptors: dict[str, int] = {}
        regions: set[str] = set()
        for name, pid in self._pids().items():
            try:
                process = psutil.Process(pid)
                held = process.memory_info()
                memory[name] = (held.rss - held.shared) / MIB
                descriptors[name] = process.num_fds()
                regions |= _regions_of(pid)
            except (psutil.Error, OSError):
                continue  # It ended a moment ago.
        at_s = time.monotonic() - self._started
        return ResourceSample(at_s, memory, descriptors, sum(map(_bytes_of, regions)) / MIB)


def _regions_of(pid: int) -> set[str]:
    """The regions that a process has mapped; those of other servers are not its own."""
    lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
    return {line.partition(SHARED_MEMORY)[2] for line in lines if SHARED_MEMORY in line}


def _bytes_of(region: str) -> int:
    try:
        return Path(SHARED_MEMORY + region).stat().st_blocks * 512
    except OSError:
        return 0  # It was removed a moment ago.
