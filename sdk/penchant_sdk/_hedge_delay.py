"""How long a ranking waits for its first endpoint before it asks a second one.

A hedge after the 95th percentile adds at most 5 % of load and cuts the tail: Dean & Barroso, The
Tail at Scale, Communications of the ACM 56(2), 2013.

>>> HedgeDelay(20.0, endpoints=2).after_s()
0.02
>>> learnt = HedgeDelay("p95", endpoints=2)
>>> learnt.after_s() is None  # Nothing is known yet.
True
>>> for n in range(100):
...     learnt.took(0, n / 1000)
...     learnt.took(1, 0.5)
>>> learnt.after_s()  # Of the endpoint that is faster.
0.091
"""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

from penchant_sdk._arguments import as_float, shown
from penchant_sdk.errors import InvalidRequest

HedgeAfter = float | Literal["p95"]
"""Milliseconds, or "p95": after 95 % of the client's latest rankings had their answer."""

KEPT = 256
"""Latest times that are kept of each endpoint."""
LEAST = 32
"""Times that must be known of an endpoint."""
_QUANTILE = 0.95
_EVERY = 16


class HedgeDelay:
    """The delay, fixed or learnt; a lost race between threads costs one observation."""

    __slots__ = ("_delay_s", "_learns", "_seen", "_times")

    def __init__(self, hedge_after_ms: HedgeAfter, endpoints: int) -> None:
        """Makes the delay.

        Args:
            hedge_after_ms: see `HedgeAfter`.
            endpoints: how many there are.

        Raises:
            InvalidRequest: `hedge_after_ms` is neither a positive number nor "p95".
        """
        after_ms = as_float(hedge_after_ms)
        self._learns = isinstance(hedge_after_ms, str) and hedge_after_ms == "p95"
        if not self._learns and (after_ms is None or not 0 < after_ms < math.inf):
            raise InvalidRequest(
                f"hedge_after_ms: got {shown(hedge_after_ms)}, expected milliseconds, more than 0, "
                "or 'p95'"
            )
        self._delay_s = None if after_ms is None else after_ms / 1e3
        self._times: list[deque[float]] = [deque(maxlen=KEPT) for _ in range(endpoints)]
        self._seen = 0

    def after_s(self) -> float | None:
        """Seconds to wait before the hedge; None: not known yet, so that nothing is hedged."""
        return self._delay_s

    def took(self, endpoint: int, seconds: float) -> None:
        """Learns from a ranking's time, or from how long it had waited when a hedge overtook it."""
        if not self._learns:
            return
        self._times[endpoint].append(seconds)
        self._seen += 1
        if self._seen % _EVERY and self._delay_s is not None:
            return
        # Of the fastest endpoint: what it could do for a ranking that waits for a slow one.
        known = [sorted(times) for times in self._times if len(times) >= LEAST]
        if known:
            self._delay_s = min(times[int(_QUANTILE * len(times))] for times in known)
