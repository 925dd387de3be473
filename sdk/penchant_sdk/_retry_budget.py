"""A client's budget of retries: a share of its calls, so that retries cannot multiply an overload.

Where every call is tried four times, a server that is a little too slow gets four times its load,
and stays down. A budget of the whole client bounds that: Google's Site Reliability Engineering
(2016), chapter 21, keeps retries under 10 % of calls; gRPC's retry throttling (gRFC A6) and
Finagle's RetryBudget are the same idea. Here: `share` of a call for each call, and one retry a
second for clients with few calls; at most `RESERVE` are saved up.

>>> budget = RetryBudget(share=0.1, clock=lambda: 0.0)
>>> sum(budget.take() for _ in range(100)) == RESERVE
True
>>> for _ in range(20):
...     budget.called()
>>> [budget.take() for _ in range(3)]
[True, True, False]
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from penchant_sdk._arguments import real
from penchant_sdk.errors import InvalidRequest

SHARE = 0.1
"""Retries and hedges for each call, at most."""
RESERVE = 20
"""Retries that are saved up at most, and that a new client has."""
PER_S = 1.0
"""Retries that a second adds, whatever the calls."""

_ROUNDING = 1e-9
"""Ten tenths are a whole retry."""


class RetryBudget:
    """The retries that a client has left; thread-safe."""

    __slots__ = ("_clock", "_left", "_lock", "_share", "_updated_s")

    def __init__(self, share: float = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        """Makes a full budget.

        Args:
            share: retries for each call, 0 or more.
            clock: gives the time in seconds.

        Raises:
            InvalidRequest: the share is negative or not finite.
        """
        if not 0 <= real("retry_share", share) < math.inf:
            raise InvalidRequest(f"retry_share: got {share}, expected 0 or more, and finite")
        self._share = float(share)
        self._clock = clock
        self._lock = Lock()
        self._left = float(RESERVE)
        self._updated_s = clock()

    def called(self) -> None:
        """Counts a call."""
        if self._left < RESERVE:  # A stale look costs a share of one retry.
            with self._lock:
                self._left = min(RESERVE, self._left + self._share)

    def take(self) -> bool:
        """Takes a retry; False if none is left."""
        with self._lock:
            now_s = self._clock()
            self._left = min(RESERVE, self._left + (now_s - self._updated_s) * PER_S)
            self._updated_s = now_s
            if self._left < 1.0 - _ROUNDING:
                return False
            self._left -= 1.0
            return True
