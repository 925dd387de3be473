"""A circuit breaker: after failures in a row, an endpoint rests; then one call tries it.

M. Nygard, Release It! (2nd ed., 2018), chapter 5. The pauses double, as the marks of Finagle's
failure accrual do, and are spread at random, so that clients do not come back together.

>>> breaker = CircuitBreaker(failures=2, first_rest_s=1.0)
>>> breaker.failed(now_s=0.0), breaker.failed(now_s=0.0) is not None
(None, True)
>>> breaker.admits(now_s=0.1), breaker.admits(now_s=2.0)
(False, True)
>>> breaker.tries()  # The probe is under way: no second call joins it.
>>> breaker.admits(now_s=2.0)
False
>>> breaker.answered()
True
>>> breaker.admits(now_s=2.0)
True
"""

from __future__ import annotations

import random

FAILURES = 5
"""Failures in a row after which an endpoint rests."""
FIRST_REST_S = 0.5
"""Longest first rest in seconds; each later one may be twice as long as the one before."""
LONGEST_REST_S = 10.0
"""Longest rest of all, in seconds."""


class CircuitBreaker:
    """Whether an endpoint should have calls; not thread-safe: its owner holds a lock."""

    __slots__ = ("_failed", "_failures", "_first_rest_s", "_probing", "_rests", "_until_s")

    def __init__(self, failures: int = FAILURES, first_rest_s: float = FIRST_REST_S) -> None:
        """Makes a closed breaker.

        Args:
            failures: in a row, after which it opens; 1 or more.
            first_rest_s: longest first rest, in seconds.
        """
        self._failures = failures
        self._first_rest_s = first_rest_s
        self._failed = 0
        self._rests = 0
        self._until_s: float | None = None
        self._probing = False

    def admits(self, now_s: float) -> bool:
        """Whether a call may go there: always while closed, after a rest for one probe."""
        if self._until_s is None:
            return True
        return not self._probing and now_s >= self._until_s

    def tries(self) -> None:
        """A call goes there; while the breaker is open, it is the probe."""
        self._probing = self._until_s is not None

    def answered(self) -> bool:
        """The endpoint answered: the breaker is closed. Returns whether it was open."""
        was_open = self._until_s is not None
        self._failed = self._rests = 0
        self._until_s = None
        self._probing = False
        return was_open

    def failed(self, now_s: float) -> float | None:
        """The endpoint failed. Returns the seconds that it rests from now on; None: it does not."""
        self._failed += 1
        if self._failed < self._failures:
            return None
        # Calls that were under way when it opened say nothing new.
        if self._until_s is not None and not self._probing and now_s < self._until_s:
            return None
        longest_s = min(LONGEST_REST_S, self._first_rest_s * 2.0**self._rests)
        self._rests += 1
        rest_s = longest_s * random.uniform(0.5, 1.0)
        self._until_s = now_s + rest_s
        self._probing = False
        return rest_s

    def dropped(self) -> None:
        """A call ended without telling anything about the endpoint."""
        self._probing = False
