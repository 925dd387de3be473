"""Ends a model's process with the server that started it.

A stub that Triton starts looks for its server by `kill(pid, 0)`, which succeeds as long as nobody
has collected the dead server's status, and it hangs if the server dies while it loads: one was seen
to live on for 46 minutes. Linux could send a signal at the parent's death (PR_SET_PDEATHSIG), but
counts the end of the *thread* that started the child as well, and Triton starts each stub from a
thread that ends. A process descriptor has neither flaw.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from pathlib import Path

import psutil

_LOOK_S = 0.5
_SERVER_WORD = 5
"""Place of the server's process id among the words of a stub's command line."""


def end_with_server() -> None:
    """Kills this process as soon as its server has ended, even during loading.

    The server is the ancestor whose process id this process's command line names, as those of
    Triton's stubs do, or else the parent. A thread waits for its end and costs nothing meanwhile.
    """
    threading.Thread(target=_wait_and_die, args=[_server_pid()], daemon=True).start()


def _server_pid() -> int:
    """The server's process id, which is that of no process if it has ended already."""
    words = Path("/proc/self/cmdline").read_bytes().decode(errors="replace").split("\0")
    try:
        ancestors = [process.pid for process in psutil.Process().parents()]
    except psutil.NoSuchProcess:  # One of them ended just now.
        ancestors = []
    named = [pid for pid in ancestors if str(pid) in words]
    if named:
        return named[0]
    return int(words[_SERVER_WORD]) if _is_of_a_stub(words) else os.getppid()


def _is_of_a_stub(words: list[str]) -> bool:
    """Whether a command line is that of a stub: the sizes of its region, then its server."""
    return len(words) > _SERVER_WORD and all(map(str.isdigit, words[3 : _SERVER_WORD + 1]))


def _wait_and_die(pid: int) -> None:
    try:
        server = os.pidfd_open(pid)
    except ProcessLookupError:
        pass
    except OSError:  # A kernel before 5.3, or a sandbox that forbids it.
        while _lives(pid):
            time.sleep(_LOOK_S)
    else:
        poll = select.poll()
        poll.register(server, select.POLLIN)
        poll.poll()
    os.kill(os.getpid(), signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
