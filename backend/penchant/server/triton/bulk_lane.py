"""A lane of long calls that are worked on slice by slice, the shortest first."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

from penchant.server.dispatch import Answer
from penchant.server.triton.backlog import Backlog
from penchant.server.triton.call_queue import CallQueue
from penchant.server.triton.process_turn import ProcessTurn
from penchant.server.triton.waiting_call import WaitingCall

MOST_WAITING = 32
"""Calls that wait or are under way, at most: each may hold some megabytes."""

UNKNOWN_S = 0.001
"""Seconds of a unit of cost before one was measured."""

Slices = Generator[None, None, Answer]
"""The work on one call: yields between two slices, returns the answer."""


@dataclass(slots=True)
class _Begun:
    """A call under way."""

    waiting: WaitingCall
    slices: Slices
    worked_s: float = 0.0


class BulkLane(CallQueue[_Begun]):
    """Works on long calls slice by slice; small calls of the process go in between.

    The next slice is of the call with the least work left, so that a caller's large call does not
    keep others' smaller ones waiting, and what is begun is finished. Taken in turns, equal calls
    would all be done at the end, and under overload too late. A call that would soon miss its
    deadline goes first, so none waits for ever. What waits is bounded by the time that its callers
    have. A call that nobody waits for any more is dropped, also between two of its slices.
    """

    def __init__(
        self,
        begin: Callable[[WaitingCall], Slices],
        answer: Callable[[WaitingCall, Answer], None],
        drop: Callable[[WaitingCall], None],
        turn: ProcessTurn,
    ) -> None:
        """Starts the thread.

        Args:
            begin: the work on a call; it answers with an error rather than raise one.
            answer: sends the answer to a call, and never raises.
            drop: tells a call that nobody waits for it any more, and never raises.
            turn: taken for each slice.
        """
        super().__init__(Backlog(MOST_WAITING), "penchant-slices")
        self._begin = begin
        self._answer = answer
        self._drop = drop
        self._turn = turn
        self._thread.start()

    def _queued(self, waiting: WaitingCall) -> _Begun:
        return _Begun(waiting, self._begin(waiting))

    def _work(self) -> None:
        with self._changed:
            call = self._next()
        self._advance(call)

    def _next(self) -> _Begun:
        """The call whose turn it is, taken out of the queue."""
        hurried = min(self._queue, key=self._slack_s)
        if self._slack_s(hurried) < self._left_s(hurried):
            self._queue.remove(hurried)
            return hurried
        shortest = min(self._queue, key=self._left_s)
        self._queue.remove(shortest)
        return shortest

    def _left_s(self, call: _Begun) -> float:
        """Expected seconds of work that a call still needs."""
        whole_s = call.waiting.call.cost * (self._backlog.seconds_per_cost or UNKNOWN_S)
        return max(0.0, whole_s - call.worked_s)

    def _needs_s(self, call: _Begun) -> float:
        """Seconds without which a call is not begun; 0 for one that is, or that is alone.

        A call that is alone is tried whatever is expected: so a wrong expectation mends itself.
        """
        alone = self._backlog.calls <= 1
        known = self._backlog.seconds_per_cost > 0
        return 0.0 if call.worked_s or alone or not known else self._left_s(call)

    def _slack_s(self, call: _Begun) -> float:
        """Seconds that a call may still lie idle without missing its deadline."""
        waiting = call.waiting
        return waiting.arrived_s + waiting.timeout_s - time.monotonic() - self._left_s(call)

    def _advance(self, call: _Begun) -> None:
        waiting = call.waiting
        if waiting.abandoned(self._needs_s(call)):
            call.slices.close()
            self._backlog.done(1, waiting.call.cost)
            self._drop(waiting)
            return
        started_s = time.monotonic()  # With the wait for the turn, which delays the next calls too.
        answer: Answer | None = None
        with self._turn.slice():
            try:
                next(call.slices)
            except StopIteration as end:
                answer = end.value
        call.worked_s += time.monotonic() - started_s
        if answer is None:
            with self._changed:
                self._queue.appendleft(call)  # Before others with as much work left.
            return
        self._backlog.done(1, waiting.call.cost, call.worked_s)
        self._answer(waiting, answer)
