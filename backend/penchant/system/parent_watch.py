"""Ends a model's process with the server that started it.

A stub that Triton starts looks for its server by `kill(pid, 0)`, which succeeds as long as nobody
has collected the dead server's status, and it may hang on its way out, holding Python's lock: one
was seen to live on for 46 minutes. Three things end it here. While it loads, a thread waits for a
process descriptor of the server. After that, Linux sends SIGKILL (PR_SET_PDEATHSIG), whatever the
process hangs in. Not from the beginning: Linux counts the end of the *thread* that started the
process as the parent's death, and Triton starts each stub from a thread that ends with the loading.
The process is then a child of Triton's main thread, and safe. Until that is seen, the thread
sets an alarm again and again, so that it never goes off, unless the server dies while the main
thread waits for a lock that the server holds, with Python's own lock in hand, and the thread can't
run any more.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
import time
from pathlib import Path

import psutil

_LOOK_S = 0.5
LONGEST_HOLD_S = 300.0
"""Longest time that a model may hold Python's lock, or be stopped, while it loads."""
_LOADING_S = 900.0
"""Seconds from its start after which a model is no longer taken for one that loads."""
_PR_SET_PDEATHSIG = 1
_SERVER_WORD = 5
"""Place of the server's process id among the words of a stub's command line."""


def end_with_server() -> None:
    """Kills this process as soon as its server has ended, even during loading.

    The server is the ancestor whose process id this process's command line names, as those of
    Triton's stubs do, or else the parent. A thread waits for its end and costs nothing meanwhile.
    Until the process is a child of the server's main thread it also ends, by SIGALRM, if some
    thread holds Python's lock for `LONGEST_HOLD_S`.
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


def _wait_and_die(server_pid: int) -> None:
    try:
        server = os.pidfd_open(server_pid)
    except ProcessLookupError:
        pass
    except OSError:  # A kernel before 5.3, or a sandbox that forbids it.
        while _lives(server_pid):
            time.sleep(_LOOK_S)
    else:
        poll = select.poll()
        poll.register(server, select.POLLIN)
        loads_until_s = time.monotonic() + _LOADING_S
        while True:
            children = _children_of_main_thread(server_pid)
            # Where it can't be seen when to switch the alarm off, it is never set.
            loads = children is not None and time.monotonic() < loads_until_s
            signal.setitimer(signal.ITIMER_REAL, LONGEST_HOLD_S if loads else 0.0)
            if poll.poll(_LOOK_S * 1e3):
                break
            if str(os.getpid()) in (children or ()) and _ask_for_signal():
                signal.setitimer(signal.ITIMER_REAL, 0.0)
                poll.poll()
                break
    os.kill(os.getpid(), signal.SIGKILL)


def _children_of_main_thread(server_pid: int) -> list[str] | None:
    """The ids of its children; None on a kernel that does not tell."""
    try:
        return Path(f"/proc/{server_pid}/task/{server_pid}/children").read_text("ascii").split()
    except OSError:
        return None


def _ask_for_signal() -> bool:
    return bool(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
