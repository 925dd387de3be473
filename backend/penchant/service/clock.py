"""The wall clock, as a function that tests can replace, and one that follows no sudden step.

A machine's clock may be wrong for some seconds: set by hand, by a wrong time server, or at a
resume. An event that is dated a year ahead then would be its user's newest for a year. The stepless
clock compares the wall clock with one that nobody can set, and follows a step only once it has
lasted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from penchant.service.meter import Meter

log = logging.getLogger("penchant")

Clock = Callable[[], int]
"""Returns the time in microseconds since 1970-01-01 UTC."""

STEP_US = 5_000_000
"""Difference between the two clocks, in microseconds, that counts as a step."""

LASTED_US = 30_000_000
"""Microseconds for which a step must last before it is followed."""


def system_clock() -> int:
    """The machine's clock, in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


unset_clock_ns = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
"""Nanoseconds since the machine started, suspended time included; nobody can set it."""


class SteplessClock:
    """The machine's clock, except that a step of it is followed only after LASTED_US."""

    def __init__(
        self,
        meter: Meter,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = unset_clock_ns,
    ) -> None:
        """Starts with the wall clock's time, right or wrong.

        Args:
            meter: is told of doubts.
            wall_ns: the machine's clock, in nanoseconds since 1970.
            steady_ns: one that nobody can set, in nanoseconds since any moment.
        """
        self._meter = meter
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._lock = threading.Lock()
        self._followed_us = wall_ns() // 1000 - steady_ns() // 1000
        self._stepped_us = 0
        self._since_us: int | None = None
        self.was_set_back = False
        """Whether a step back has been followed: the time before it was wrong."""

    def __call__(self) -> int:
        """Microseconds since 1970-01-01 UTC. Cost: two system calls, under 1 microsecond."""
        wall_us, steady_us = self._wall_ns() // 1000, self._steady_ns() // 1000
        offset_us = wall_us - steady_us
        if abs(offset_us - self._followed_us) <= STEP_US:
            self._followed_us = offset_us  # Time servers correct a clock little by little.
            if self._since_us is not None:
                self._returned()
            return wall_us
        with self._lock:
            return self._after_step(offset_us, steady_us)

    def _after_step(self, offset_us: int, steady_us: int) -> int:
        by_s = (offset_us - self._followed_us) / 1e6
        if self._since_us is None or abs(offset_us - self._stepped_us) > STEP_US:
            self._since_us, self._stepped_us = steady_us, offset_us
            self._meter.clock_doubt("step")
            log.warning(
                "the machine's clock stepped by %+.0f s; the time before goes on, and the step is "
                "followed if it lasts %d s",
                by_s,
                LASTED_US // 1_000_000,
            )
        elif steady_us - self._since_us >= LASTED_US:
            self._followed_us, self._since_us = offset_us, None
            self.was_set_back = by_s < 0
            log.warning("the machine's clock stays %+.0f s from where it was: followed", by_s)
        return steady_us + self._followed_us

    def _returned(self) -> None:
        with self._lock:
            if self._since_us is not None:
                self._since_us = None
                log.warning("the machine's clock is back; its step had no effect")
