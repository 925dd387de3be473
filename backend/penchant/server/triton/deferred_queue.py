"""Where calls wait that need the encoder, so that no other call waits for them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Call = TypeVar("Call")


class DeferredQueue(Generic[Call]):
    """One thread; all that gathers while it works is what it works on next, together."""

    def __init__(self, answer: Callable[[Sequence[Call]], None], most: int) -> None:
        """Starts the thread.

        Args:
            answer: answers calls and raises nothing.
            most: calls that are answered together at most, 1 or more.
        """
        self._answer = answer
        self._most = most
        self._waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="penchant-slow", daemon=True)
        self._thread.start()

    def put(self, call: Call) -> None:
        """Leaves a call to the thread."""
        self._waiting.put(call)

    def close(self) -> None:
        """Returns when all that waits is answered; nothing may be put any more."""
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
