"""The span of a log's times, and a warning where it is too early to be true."""

from __future__ import annotations

from penchant.domain.arrays import Int64
from penchant.logs.cells import day_of

YEAR_1971_US = 31_536_000_000_000
"""What is read in a wrong unit, or is a date written as a number, lands before this time."""


class LogSpan:
    """Earliest and latest of the times that were added.

    >>> import numpy as np
    >>> span = LogSpan()
    >>> span.add(np.array([1_700_000_000_000]))
    >>> span.warnings[0][:58]
    'all 1 times are in 1970, 1970-01-20 to 1970-01-20: is the '
    """

    def __init__(self) -> None:
        self._first_us = self._last_us = 0
        self._count = self._early = 0
        self._last_early_us = 0

    def add(self, at_us: Int64) -> None:
        """Adds times in microseconds since 1970, shape (n,)."""
        if not len(at_us):
            return
        first, last = int(at_us.min()), int(at_us.max())
        self._first_us = min(first, self._first_us) if self._count else first
        self._last_us = max(last, self._last_us) if self._count else last
        self._count += len(at_us)
        early = at_us[at_us < YEAR_1971_US]
        self._early += len(early)
        if len(early):
            self._last_early_us = max(self._last_early_us, int(early.max()))

    def __str__(self) -> str:
        """First and last day; empty without times."""
        return f"{day_of(self._first_us)} to {day_of(self._last_us)}" if self._count else ""

    @property
    def warnings(self) -> list[str]:
        """A warning where times are in 1970, as those in a wrong unit are."""
        if not self._early:
            return []
        every = self._early == self._count
        count = f"all {self._count:,}" if every else f"{self._early:,} of {self._count:,}"
        span = f"{day_of(self._first_us)} to {day_of(self._last_early_us)}"
        return [
            f"{count} times are in 1970, {span}: is the unit right? Set it with --time-unit s, ms, "
            "us or ns; ymd reads dates such as 20240501, and excel days such as 45413"
        ]
