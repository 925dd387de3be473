"""How much waits in a lane, how long it will take, and whether one more call may join."""

from __future__ import annotations

import threading
import time

from penchant.domain.errors import Overloaded
from penchant.server.triton.waiting_call import WaitingCall

MOST_CALLS = 256
"""Calls that wait in one lane, at most, whatever they cost."""
SHARE_OF_TIMEOUT = 0.7
"""Share of a caller's time that its call may be expected to take; the rest is for surprises."""
NEWEST_SHARE = 0.2
"""Weight of the newest measurement in the mean cost."""
MORE_CAUTION, LESS_CAUTION, MOST_CAUTION = 1.1, 0.9, 2.0
SHORTEST_HINT_MS, LONGEST_HINT_MS = 20, 10_000


class Backlog:
    """Counts the work of a lane in units of cost, and learns how long a unit takes."""

    def __init__(self, most: int = MOST_CALLS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self.calls = 0
        """Calls that wait or are worked on."""
        self._cost = 0.0
        self._seconds_per_cost: float | None = None
        self._caution = 1.0
        """Grows when calls were admitted whose time then ran out, and shrinks when it did not."""

    @property
    def seconds_per_cost(self) -> float:
        """Mean seconds of one unit of cost; 0 before the first measurement."""
        return self._seconds_per_cost or 0.0

    def admit(self, waiting: WaitingCall) -> Overloaded | None:
        """Adds a call, or says why not. An empty lane takes any call, whatever it costs."""
        with self._lock:
            cost = self._cost + waiting.call.cost
            expected_s = cost * self.seconds_per_cost * self._caution
            if self.calls and (
                self.calls >= self._most or expected_s > SHARE_OF_TIMEOUT * waiting.timeout_s
            ):
                return self._refusal(waiting, expected_s)
            self.calls += 1
            self._cost = cost
            return None

    def done(self, calls: int, cost: float, seconds: float | None = None) -> None:
        """Removes calls, with what they cost.

        Args:
            calls: number of calls.
            cost: units of cost of all of them.
            seconds: how long the work took; None: it was dropped undone, which teaches nothing.
        """
        with self._lock:
            self.calls -= calls
            self._cost = self._cost - cost
            if not self.calls:
                self._cost, self._caution = 0.0, 1.0  # Nothing waits: whatever it was, it is over.
            if seconds is None or cost <= 0:
                if self.calls:
                    self._caution = min(self._caution * MORE_CAUTION, MOST_CAUTION)
                return
            self._caution = max(1.0, self._caution * LESS_CAUTION)
            newest = seconds / cost
            known = self._seconds_per_cost
            self._seconds_per_cost = (
                newest if known is None else known + NEWEST_SHARE * (newest - known)
            )

    def _refusal(self, waiting: WaitingCall, expected_s: float) -> Overloaded:
        left_s = waiting.timeout_s - (time.monotonic() - waiting.arrived_s)
        hint_ms = min(
            max(round(self._cost * self.seconds_per_cost * 1e3), SHORTEST_HINT_MS), LONGEST_HINT_MS
        )
        return Overloaded(
            f"{waiting.call.field}: got {self.calls} calls before this one, which would be "
            f"answered after about {expected_s * 1e3:.0f} ms, expected at most "
            f"{SHARE_OF_TIMEOUT * left_s * 1e3:.0f} ms; retry after {hint_ms} ms"
        )
