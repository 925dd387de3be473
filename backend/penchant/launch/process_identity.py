"""Names a process so that another one with the same number is never taken for it."""

from __future__ import annotations

from pathlib import Path

_START_TICKS = 19
"""Place of the start time in `/proc/PID/stat`, counted behind the program's name."""


def identity(pid: int) -> str:
    """The process's number, start and boot; empty if no process of that number is alive.

    The start counts clock ticks since the boot, which no change of the clock moves.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return ""
    return f"{pid} {fields[_START_TICKS]} {boot}"


def is_alive(name: str) -> bool:
    """Whether the process that `identity` named is still alive.

    >>> import os
    >>> is_alive(identity(os.getpid())), is_alive(f"{os.getpid()} 0 yesterday"), is_alive("")
    (True, False, False)
    """
    number = name.partition(" ")[0]
    return number.isdigit() and identity(int(number)) == name


def pid_of(name: str) -> int:
    """The process number in a name that `identity` gave."""
    return int(name.partition(" ")[0])
