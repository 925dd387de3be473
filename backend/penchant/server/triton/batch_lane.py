"""A lane of calls that are answered together, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from penchant.domain.errors import Overloaded
from penchant.server.triton.backlog import Backlog
from penchant.server.triton.waiting_call import WaitingCall

BATCH_S = 0.15
"""Seconds that a batch may be expected to take; a larger one would keep the others waiting."""
LEAST_BATCH = 4
"""Calls that are answered together however long they take: each alone would take longer still."""


class BatchLane:
    """Answers calls in order; calls that arrive meanwhile form the next batch.

    What waits is bounded by the time that its callers have, and a call that nobody waits for any
    more is dropped before any work on it.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[WaitingCall]], None],
        drop: Callable[[WaitingCall], None],
        most: int,
    ) -> None:
        """Starts the thread.

        Args:
            answer: answers a batch of calls, and never raises.
            drop: tells a call that nobody waits for it any more, and never raises.
            most: size limit of a batch, 1 or more.
        """
        self._answer = answer
        self._drop = drop
        self._most = most
        self._backlog = Backlog()
        self._waiting: deque[WaitingCall] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="penchant-batches", daemon=True)
        self._thread.start()

    @property
    def calls(self) -> int:
        """Calls that wait or are being answered."""
        return self._backlog.calls

    def put(self, waiting: WaitingCall) -> Overloaded | None:
        """Queues a call, or refuses it if its turn would come too late."""
        refusal = self._backlog.admit(waiting)
        if refusal is None:
            with self._changed:
                self._waiting.append(waiting)
                self._changed.notify()
        return refusal

    def close(self) -> None:
        """Returns when every queued call is answered; no call may follow."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
            batch, cost = self._take()
            if not batch:
                continue
            started_s = time.monotonic()
            self._answer(batch)
            self._backlog.done(len(batch), cost, time.monotonic() - started_s)

    def _take(self) -> tuple[list[WaitingCall], float]:
        """The next calls that somebody still waits for, and their cost."""
        batch: list[WaitingCall] = []
        cost = 0.0
        while self._waiting and len(batch) < self._most:
            waiting = self._waiting[0]
            expected_s = (cost + waiting.call.cost) * self._backlog.seconds_per_cost
            if len(batch) >= LEAST_BATCH and expected_s > BATCH_S:
                break
            self._waiting.popleft()
            # The first is tried whatever is expected: so a wrong expectation mends itself.
            if waiting.abandoned(expected_s if batch else 0.0):
                self._backlog.done(1, waiting.call.cost)
                self._drop(waiting)
            else:
                batch.append(waiting)
                cost += waiting.call.cost
        return batch, cost
