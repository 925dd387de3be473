"""Names a process so that another one with the same number is never taken for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_STATE, _START_TICKS = 0, 19
"""Places in `/proc/PID/stat`, counted behind the program's name."""


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """What Linux says of a process."""

    state: str
    """One letter: `R`, `S`, `T` for stopped, `Z` for a zombie, ..."""
    start_ticks: int
    """Start in clock ticks since the boot, which no change of the clock moves."""

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.state not in ("Z", "X")


def process_stat(pid: int) -> ProcessStat | None:
    """The state and the start of a process; None if there is none of that number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return ProcessStat(fields[_STATE], int(fields[_START_TICKS]))


def boot_id() -> str:
    """The id of this start of the machine; raises OSError where the kernel gives none."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def identity(pid: int) -> str:
    """The process's number, start and boot; empty if no process of that number is alive."""
    stat = process_stat(pid)
    if stat is None or not stat.alive:
        return ""
    try:
        return f"{pid} {stat.start_ticks} {boot_id()}"
    except OSError:
        return ""


def is_alive(name: str) -> bool:
    """Whether the process that `identity` named is still alive.

    >>> import os
    >>> is_alive(identity(os.getpid())), is_alive(f"{os.getpid()} 0 yesterday"), is_alive("")
    (True, False, False)
    """
    number = name.partition(" ")[0]
    return number.isdigit() and identity(int(number)) == name


def leads_its_group(name: str) -> bool:
    """Whether a group of processes with the number of the named one can only be that one's.

    It need not be alive: Linux gives a number to no new process while a group has it. But another
    start of the machine, or the end of the whole group, frees it.

    >>> import os
    >>> leads_its_group(identity(os.getpid())), leads_its_group(f"{os.getpid()} 0 {boot_id()}")
    (True, False)
    """
    number, _, rest = name.partition(" ")
    start, _, boot = rest.partition(" ")
    try:
        if not number.isdecimal() or boot != boot_id():
            return False
    except OSError:
        return False
    stat = process_stat(int(number))
    return stat is None or str(stat.start_ticks) == start


def pid_of(name: str) -> int:
    """The process number in a name that `identity` gave."""
    return int(name.partition(" ")[0])
