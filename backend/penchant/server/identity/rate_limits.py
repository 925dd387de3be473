"""Limits on calls per second, of a tenant and of a caller, in one model process."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penchant.domain.caller import Caller
from penchant.domain.errors import Overloaded

MOST_BUCKETS = 10_000
"""Buckets in memory, at most; one that nobody uses any more is full, and so can be dropped."""


@dataclass(slots=True)
class TokenBucket:
    """A bucket that fills at a rate, and from which each call takes one."""

    rate: float
    """Calls per second."""
    level: float
    filled_s: float

    @property
    def size(self) -> float:
        """Calls that fit: those of one second, at least one."""
        return max(1.0, self.rate)

    def wait_s(self, now_s: float) -> float:
        """Takes one call out; if there is none, takes nothing and returns the seconds until then.

        >>> bucket = TokenBucket(rate=2.0, level=1.0, filled_s=0.0)
        >>> [bucket.wait_s(now) for now in (0.0, 0.0, 0.5)]
        [0.0, 0.5, 0.0]
        """
        self.level = min(self.size, self.level + self.rate * (now_s - self.filled_s))
        self.filled_s = now_s
        if self.level >= 1.0:
            self.level -= 1.0
            return 0.0
        return (1.0 - self.level) / self.rate


class RateLimits:
    """Buckets by tenant, and by caller within a tenant."""

    def __init__(self, per_tenant: float, per_caller: float, share: float) -> None:
        """Sets the limits.

        Args:
            per_tenant: calls per second of all callers of a tenant together; 0: no limit.
            per_caller: calls per second of one caller; 0: none but that of the caller's token.
            share: this process's part of each limit: one over the number of processes.
        """
        self._per_tenant = (per_tenant or math.inf) * share
        self._per_caller = (per_caller or math.inf) * share
        self._share = share
        self._bounds_all = min(self._per_tenant, self._per_caller) != math.inf
        self._buckets: dict[tuple[str, str | None], TokenBucket] = {}

    def bound(self, caller: Caller) -> bool:
        """Whether any limit holds for a caller."""
        return self._bounds_all or caller.calls_per_s != math.inf

    def admit(self, caller: Caller, now_s: float) -> None:
        """Counts a call.

        Args:
            caller: who calls.
            now_s: the time in seconds, by a clock that never goes back.

        Raises:
            Overloaded: a limit is reached; the message says when to come back.
        """
        own = min(self._per_caller, caller.calls_per_s * self._share)
        if own != math.inf:
            self._take((caller.tenant, caller.subject), own, now_s, "caller")
        if self._per_tenant != math.inf:
            self._take((caller.tenant, None), self._per_tenant, now_s, "tenant")

    def _take(self, name: tuple[str, str | None], rate: float, now_s: float, whose: str) -> None:
        bucket = self._buckets.get(name)
        if bucket is None or bucket.rate != rate:
            if len(self._buckets) >= MOST_BUCKETS:
                self._drop_full(now_s)
            bucket = self._buckets[name] = TokenBucket(rate, max(1.0, rate), now_s)
        wait_s = bucket.wait_s(now_s)
        if wait_s:
            raise Overloaded(
                f"authorization: the {whose} makes more calls than its limit; "
                f"retry after {math.ceil(min(wait_s, 3600.0) * 1e3)} ms",
                f"{whose}_rate",
            )

    def _drop_full(self, now_s: float) -> None:
        """Drops the buckets that have filled up meanwhile; without any, the oldest."""
        full = [
            name
            for name, bucket in self._buckets.items()
            if bucket.level + bucket.rate * (now_s - bucket.filled_s) >= bucket.size
        ]
        for name in full or [next(iter(self._buckets))]:
            del self._buckets[name]
