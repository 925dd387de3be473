"""The wall clock, as a function that tests can replace."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the time in microseconds since 1970-01-01 UTC."""


def system_clock() -> int:
    """The machine's clock, in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000
