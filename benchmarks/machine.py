"""Facts about the machine and its processes that belong beside every measurement."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Memory of one process, in MB."""

    resident: float
    """Resident memory, mapped files included."""
    own: float
    """Resident memory without mapped files, which processes share and the system can drop."""


def memory(pids: Mapping[str, int]) -> dict[str, ProcessMemory]:
    """Memory of each process by name.

    Args:
        pids: process ids by name.
    """
    found = {}
    for name, pid in pids.items():
        info = psutil.Process(pid).memory_info()
        found[name] = ProcessMemory(info.rss / 1e6, (info.rss - info.shared) / 1e6)
    return found


def sync_ms(directory: Path, times: int = 50) -> float:
    """Median milliseconds of a synced write of 4 KiB in a directory."""
    path, took = directory / "sync-probe", []
    with path.open("wb") as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - started) * 1e3)
    path.unlink()
    return statistics.median(took)


def facts(directory: Path) -> str:
    """One line about the machine and the disk of a directory."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{_cpu()}, {os.cpu_count()} cores, load {load}; {platform.system()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}; "
        f"a synced write of 4 KiB takes {sync_ms(directory):.2f} ms"
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
