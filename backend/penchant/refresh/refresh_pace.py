"""When a refresh is worth its cost: enough new events, or any after an hour.

A refresh costs the more, the longer the log; what a new event adds to it shrinks likewise. So the
number that is enough grows with the log, and an hour at most passes before a new event counts.
"""

from __future__ import annotations

LEAST_EVENTS = 100
"""New events that are enough for a short log."""

SHARE = 0.01
"""Share of the log that is enough for a long one."""

LONGEST_S = 3600.0
"""Seconds after the last refresh from which any new event is enough."""


def enough(events: int) -> int:
    """The number of new events that are enough for a log of so many.

    >>> enough(0), enough(5_000), enough(100_000)
    (100, 100, 1000)
    """
    return max(LEAST_EVENTS, int(SHARE * events))


def is_due(new: int, events: int, age_s: float = 0.0) -> bool:
    """Whether a refresh is due.

    Args:
        new: events since the last refresh.
        events: events in the log, the new ones included.
        age_s: seconds since the last refresh, or since somebody began to look.

    >>> is_due(99, 5_000), is_due(100, 5_000), is_due(1, 5_000, age_s=3600.0), is_due(0, 9, 1e9)
    (False, True, True, False)
    """
    return new >= enough(events) or (new > 0 and age_s >= LONGEST_S)
