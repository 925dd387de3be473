"""Tells whether a server is in order: its process, those of its models, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import psutil

from penchant.launch.pulse import Pulse
from penchant.launch.server import Server

FaultKind = Literal["triton_ended", "model_died", "stopped", "silent", "start_failed"]
"""Why a server is started again."""

FAULT_KINDS: Mapping[FaultKind, str] = {
    "triton_ended": "Triton ended by itself",
    "model_died": "the process of a model instance died; Triton does not start it again",
    "stopped": "Triton or a model instance was stopped by a signal for over 2 seconds",
    "silent": "a model gave no answer for the time of `--stuck-after`",
    "start_failed": "a start after one of the others failed",
}
"""The kinds, and what each means."""

STOPPED_S = 2.0
"""Seconds for which a process may be stopped."""

_BUSY_CPUS = 0.5
"""CPU share by which a silent model is at work, rather than stuck."""
_BUSY_PATIENCE = 10
"""A model at work may be silent this many times as long."""
_LONGEST_STEP_S = 0.5


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a server."""

    kind: FaultKind
    text: str
    """For people: one line, or the lines of the log that explain it."""


class VitalSigns:
    """The state of a server that is up, from its start to its first fault."""

    def __init__(self, server: Server, stuck_after_s: float) -> None:
        """Begins to watch.

        Args:
            server: a server that is up.
            stuck_after_s: seconds without an answer after which an idle model counts as stuck.
        """
        self._server = server
        self._stuck_after_s = stuck_after_s
        self._processes = _processes(server)
        self._pulse = Pulse(server.target, server.models, server.access)
        self._stopped_s: dict[str, float] = {}
        self._cpu_s: dict[str, float] = {}

    def look(self, seconds: float) -> Fault | None:
        """Looks once.

        Args:
            seconds: time since the last look. More than half a second counts as that: this process
                was paused, and whatever it watches may have been too.
        """
        step = min(seconds, _LONGEST_STEP_S)
        if self._server.returncode is not None:
            return Fault("triton_ended", self._server.death())
        return self._dead() or self._halted(step) or self._silent(step)

    def close(self) -> None:
        """Stops watching."""
        self._pulse.close()

    def _dead(self) -> Fault | None:
        gone = [name for name, process in self._processes.items() if not _lives(process)]
        if not gone:
            return None
        now = _processes(self._server)
        if self._server.returncode is not None:
            return Fault("triton_ended", self._server.death())
        if self._server.was_told_to_end():
            return Fault("triton_ended", "Triton was told to end, by a signal from outside")
        lost = [name for name in gone if name not in now]
        if lost:
            return Fault("model_died", f"{', '.join(lost)} died")
        self._processes = now  # Triton loaded these models again, on somebody's request.
        return None

    def _halted(self, step: float) -> Fault | None:
        for name, process in self._processes.items():
            if _status(process) == psutil.STATUS_STOPPED:
                self._stopped_s[name] = self._stopped_s.get(name, 0.0) + step
            else:
                self._stopped_s.pop(name, None)
        over = [name for name, seconds in self._stopped_s.items() if seconds > STOPPED_S]
        if not over:
            return None
        return Fault("stopped", f"{', '.join(over)} was stopped (SIGSTOP) for {STOPPED_S:g} s")

    def _silent(self, step: float) -> Fault | None:
        silent = self._pulse.advance(step)
        self._cpu_s = {name: cpu for name, cpu in self._cpu_s.items() if name in silent}
        for model, (seconds, last) in silent.items():
            cpu_s = self._cpu_s.setdefault(model, self._cpu_of(model))
            if seconds <= self._stuck_after_s:
                continue
            busy = self._waits_for_disk(model) or (
                self._cpu_of(model) - cpu_s > _BUSY_CPUS * seconds
            )
            if not busy or seconds > _BUSY_PATIENCE * self._stuck_after_s:
                said = f" ({last})" if last else ""
                return Fault("silent", f"{model} gave no answer for {seconds:.0f} s{said}")
        return None

    def _of(self, model: str) -> list[psutil.Process]:
        return [p for name, p in self._processes.items() if name.startswith(f"{model}_")]

    def _cpu_of(self, model: str) -> float:
        total = 0.0
        for process in self._of(model):
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
        return total

    def _waits_for_disk(self, model: str) -> bool:
        return any(_status(process) == psutil.STATUS_DISK_SLEEP for process in self._of(model))


def _processes(server: Server) -> dict[str, psutil.Process]:
    """Triton's process and those of its models, by name."""
    pids = {**server.pids(), **({"Triton": server.pid} if server.pid else {})}
    found = {}
    for name, pid in pids.items():
        try:
            found[name] = psutil.Process(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def _lives(process: psutil.Process) -> bool:
    return process.is_running() and _status(process) != psutil.STATUS_ZOMBIE


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE
