"""What a server's processes hold over a run: memory, open files, shared memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

SHARED_MEMORY = Path("/dev/shm")
SAMPLE_EVERY_S = 2.0
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """One look at the server."""

    at_s: float
    """Seconds after the start of the watch."""
    rss_mib: dict[str, float]
    """Resident memory of each process, in MiB."""
    descriptors: dict[str, int]
    """Open files and sockets of each process."""
    shared_mib: float
    """All of /dev/shm, in MiB; other programs may hold a part of it."""


@dataclass(frozen=True, slots=True)
class ResourceTrend:
    """One figure over a run: flat if the end is no higher than the middle."""

    name: str
    first: float
    middle: float
    """Mean of the middle third of the run."""
    last: float
    """Mean of the last tenth of the run."""
    highest: float


def trends(samples: list[ResourceSample]) -> list[ResourceTrend]:
    """Memory and descriptors of each process, and shared memory, over a run."""
    if not samples:
        return []
    last = samples[-1]
    series = {"/dev/shm MiB": [sample.shared_mib for sample in samples]}
    for name in last.rss_mib:
        series[f"{name} MiB"] = [one.rss_mib[name] for one in samples if name in one.rss_mib]
        series[f"{name} descriptors"] = [
            float(one.descriptors[name]) for one in samples if name in one.descriptors
        ]
    return [_trend(name, values) for name, values in series.items()]


def _trend(name: str, values: list[float]) -> ResourceTrend:
    third, tenth = len(values) // 3, max(1, len(values) // 10)
    middle, end = values[third : max(third + 1, 2 * third)], values[-tenth:]
    return ResourceTrend(
        name, values[0], sum(middle) / len(middle), sum(end) / len(end), max(values)
    )


class ResourceWatch:
    """Samples a server's processes on a thread while the block runs."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        """Watches nothing yet.

        Args:
            pids: the process ids by name; asked again for each sample, since one may be replaced.
        """
        self.samples: list[ResourceSample] = []
        self._pids = pids
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
            if self._closing.wait(SAMPLE_EVERY_S):
                return

    def _sample(self) -> ResourceSample:
        rss: dict[str, float] = {}
        descriptors: dict[str, int] = {}
        for name, pid in self._pids().items():
            try:
                process = psutil.Process(pid)
                rss[name] = process.memory_info().rss / MIB
                descriptors[name] = process.num_fds()
            except psutil.Error:
                continue  # It ended a moment ago.
        files = (path.stat().st_blocks * 512 for path in _files(SHARED_MEMORY))
        at_s = time.monotonic() - self._started
        return ResourceSample(at_s, rss, descriptors, sum(files) / MIB)


def _files(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if path.is_file()]
    except OSError:
        return []
