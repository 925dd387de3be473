"""How long to wait before a server is started again."""

from __future__ import annotations

_AT_ONCE = 3
"""Failures in a row that are answered at once."""
_FIRST_S = 1.0
_LONGEST_AFTER_UP_S, _LONGEST_S = 2.0, 30.0
"""A server that comes up and fails again is soon back; one that does not come up may take long."""

HEALTHY_S = 60.0
"""Seconds up, after which earlier failures no longer count."""


class BackOff:
    """Waits that double from the fourth failure in a row on, and end after a healthy time.

    >>> waits = BackOff()
    >>> [waits.after(up_s) for up_s in (1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 90.0, 0.0)]
    [0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 0.0, 0.0]
    >>> [waits.after(0.0) for _ in range(9)][-2:]
    [30.0, 30.0]
    """

    def __init__(self) -> None:
        self._failures = 0

    def after(self, up_s: float) -> float:
        """The next wait, in seconds.

        Args:
            up_s: how long the server was up before it failed; 0 if it did not come up.
        """
        if up_s >= HEALTHY_S:
            self._failures = 0
        self._failures += 1
        if self._failures <= _AT_ONCE:
            return 0.0
        longest = _LONGEST_AFTER_UP_S if up_s else _LONGEST_S
        return min(_FIRST_S * 2.0 ** min(self._failures - _AT_ONCE - 1, 16), longest)
