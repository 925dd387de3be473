"""What a server's processes and the rest of the machine use of its cores, between two looks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from penchant.launch import processes
from penchant_proto.local_targets import is_local

TRITON = "tritonserver"


@dataclass(frozen=True, slots=True)
class CpuUse:
    """Cores in use over a time."""

    by_process: Mapping[str, float] = field(default_factory=dict)
    """Cores that each process of the server used, 1 being one core all the time."""
    machine: float = 0.0
    """Cores that all processes of this machine used."""
    cores: int = 0
    """Cores of this machine."""


class UsageMeter:
    """Measures the processor time of named processes from one `look` to the next."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        """Names the processes; none: only the machine is measured."""
        self._processes: dict[str, psutil.Process] = {}
        for name, pid in pids.items():
            with contextlib.suppress(psutil.Error):
                self._processes[name] = psutil.Process(pid)
        self._at = time.monotonic()
        self._used = self._read()
        self._busy = _busy_s()

    def look(self) -> CpuUse:
        """The use since the last look; what ended meanwhile is left out."""
        at, used, busy = time.monotonic(), self._read(), _busy_s()
        seconds = max(at - self._at, 1e-9)
        by_process = {
            name: (cpu - self._used[name]) / seconds
            for name, cpu in used.items()
            if name in self._used
        }
        machine = (busy - self._busy) / seconds
        self._at, self._used, self._busy = at, used, busy
        return CpuUse(by_process, machine, psutil.cpu_count() or 1)

    def _read(self) -> dict[str, float]:
        found = {}
        for name, process in self._processes.items():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found[name] = times.user + times.system
        return found


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def server_at(target: str) -> dict[str, int]:
    """The processes of a server on this machine, by name; empty if it is not here, or not ours."""
    port = target.rpartition(":")[2]
    if not is_local(target) or not port.isdigit():
        return {}
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        return {}
    for one in connections:
        listens = one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == int(port)
        if listens and one.pid is not None:
            return {TRITON: one.pid, **processes.stubs(one.pid)}
    return {}
