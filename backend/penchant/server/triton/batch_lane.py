"""A lane of calls that are answered together, on a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from penchant.server.triton.backlog import Backlog
from penchant.server.triton.call_queue import CallQueue
from penchant.server.triton.waiting_call import WaitingCall

BATCH_S = 0.15
"""Seconds that a batch may be expected to take; a larger one would keep the others waiting."""
LEAST_BATCH = 4
"""Calls that are answered together however long they take: each alone would take longer still."""


class BatchLane(CallQueue[WaitingCall]):
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
        super().__init__(Backlog(), "penchant-batches")
        self._answer = answer
        self._drop = drop
        self._most = most
        self._thread.start()

    def _queued(self, waiting: WaitingCall) -> WaitingCall:
        return waiting

    def _work(self) -> None:
        batch, cost = self._take()
        if batch:
            started_s = time.monotonic()
            try:
                self._answer(batch)
            finally:
                self._backlog.done(len(batch), cost, time.monotonic() - started_s)

    def _take(self) -> tuple[list[WaitingCall], float]:
        """The next calls that somebody still waits for, and their cost."""
        batch: list[WaitingCall] = []
        cost = 0.0
        while self._queue and len(batch) < self._most:
            waiting = self._queue[0]
            expected_s = (cost + waiting.call.cost) * self._backlog.seconds_per_cost
            if len(batch) >= LEAST_BATCH and expected_s > BATCH_S:
                break
            self._queue.popleft()
            # The first is tried whatever is expected: so a wrong expectation mends itself.
            if waiting.abandoned(expected_s if batch else 0.0):
                self._backlog.done(1, waiting.call.cost)
                self._drop(waiting)
            else:
                batch.append(waiting)
                cost += waiting.call.cost
        return batch, cost
