"""A queue of waiting calls, and the thread that works on them."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Generic, TypeVar

from penchant.domain.errors import Overloaded
from penchant.server.triton.backlog import Backlog
from penchant.server.triton.waiting_call import WaitingCall

log = logging.getLogger("penchant")

Queued = TypeVar("Queued")


class CallQueue(ABC, Generic[Queued]):
    """What all lanes share: calls are admitted or refused, and worked on by one thread."""

    def __init__(self, backlog: Backlog, thread_name: str) -> None:
        """Prepares the queue; the lane starts the thread once it is ready.

        Args:
            backlog: decides who may wait.
            thread_name: of the thread, for people who look at the process.
        """
        self._backlog = backlog
        self._queue: deque[Queued] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)

    @property
    def calls(self) -> int:
        """Calls that wait or are worked on."""
        return self._backlog.calls

    def put(self, waiting: WaitingCall) -> Overloaded | None:
        """Queues a call, or refuses it if its turn would come too late."""
        refusal = self._backlog.admit(waiting)
        if refusal is None:
            with self._changed:
                self._queue.append(self._queued(waiting))
                self._changed.notify()
        return refusal

    def close(self) -> None:
        """Returns when every queued call is answered; no call may follow."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    @abstractmethod
    def _queued(self, waiting: WaitingCall) -> Queued:
        """A call as it stands in the queue."""

    @abstractmethod
    def _work(self) -> None:
        """Works on some of the queue, which is not empty."""

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._closing:
                    self._changed.wait()
                if not self._queue:
                    return
            try:
                self._work()
            except Exception:  # A fault of the server; those who wait next have no part in it.
                log.exception("a lane's work failed")
