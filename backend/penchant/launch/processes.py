"""The processes of one server."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import psutil

from penchant.launch.model_python import STUB

_DEATH_S = 10.0
_INSTANCE = re.compile(r"[A-Za-z]\w*_\d+_\d+")


def stubs(server_pid: int) -> dict[str, int]:
    """The process ids of a server's living stubs, by the instance's name (`penchant_rank_0_1`)."""
    found: dict[str, int] = {}
    try:
        children = psutil.Process(server_pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return found
    for child in children:
        try:
            line = child.cmdline()
            alive = child.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            continue
        if not alive or not line or Path(line[0]).name != STUB:
            continue
        names = [part for part in line[1:] if _INSTANCE.fullmatch(part)]
        found[names[-1] if names else f"stub_{child.pid}"] = child.pid
    return dict(sorted(found.items()))


def stubs_in_group(group: int) -> list[int]:
    """The process ids of the living stubs in a process group, whose leader may be dead."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and Path(process.cmdline()[0]).name == STUB:
                found.append(process.pid)
        except (OSError, IndexError, psutil.Error):
            continue
    return found


def listener(port: int) -> str:
    """Who listens on a TCP port, as `nginx (process 17)`; `another program` if that is hidden."""
    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
                and connection.pid is not None
            ):
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:  # Of another user, or gone.
        pass
    return "another program"


def kill_group(group: int) -> None:
    """Kills every process of a group, if it exists, and waits up to 10 seconds for their end."""
    deadline = time.monotonic() + _DEATH_S
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
    while _has_living(group) and time.monotonic() < deadline:
        time.sleep(0.005)


def _has_living(group: int) -> bool:
    """Whether a process of the group is alive, rather than a zombie."""
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return True
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return False
