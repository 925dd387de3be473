"""The queue of calls that need the encoder, so that no other call waits behind them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Call = TypeVar("Call")


class DeferredQueue(Generic[Call]):
    """Answers calls on one thread; calls that arrive meanwhile form the next batch."""

    def __init__(self, answer: Callable[[Sequence[Call]], None], most: int) -> None:
        """Starts the thread.

        Args:
            answer: answers a batch of calls, and never raises.
            most: size limit of a batch, 1 or more.
        """
        self._answer = answer
        self._most = most
        self._waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="penchant-deferred", daemon=True)
        self._thread.start()

    def put(self, call: Call) -> None:
        """Queues a call."""
        self._waiting.put(call)

    def close(self) -> None:
        """Returns when every queued call is answered; no call may follow."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        closing = False
        while not closing:
            calls: list[Call] = []
            call = self._waiting.get()
            while call is not None:
                calls.append(call)
                if len(calls) == self._most or self._waiting.empty():
                    break
                call = self._waiting.get()
            closing = call is None
            if calls:
                self._answer(calls)
