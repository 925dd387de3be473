"""Runs work at low priority in a process whose other work stays at its own.

On Linux a priority belongs to a thread, and only its own can be given up without privileges. So
work that may take its time runs in a thread of its own, and what others wait for, such as a
transaction, in the caller's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

NICE = 15
"""The priority of such work: on a busy core a process of the usual priority gets 28 times as much.
"""

_Result = TypeVar("_Result")


def at_low_priority(work: Callable[[], _Result]) -> _Result:
    """Runs work in a thread of low priority, and returns its result or raises its exception.

    >>> at_low_priority(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) >= NICE
    True
    """
    future: Future[_Result] = Future()

    def run() -> None:
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, max(NICE, os.getpriority(os.PRIO_PROCESS, own)))
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # Whatever it is, the caller raises it.
            future.set_exception(error)

    # A daemon, so that an interrupt of the caller ends the process at once.
    threading.Thread(target=run, name="low priority", daemon=True).start()
    return future.result()
