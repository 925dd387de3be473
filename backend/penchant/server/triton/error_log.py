"""Says in the log which calls were answered with an error, by request id; a few a second."""

from __future__ import annotations

import logging
import time

from penchant.domain.errors import PenchantError
from penchant.server.first_series import FAULTS

MOST_A_SECOND = 5
"""Lines a second; an overloaded server must not write more."""

log = logging.getLogger("penchant")


class ErrorLog:
    """Logs errors without their texts, which may name users; metrics count all of them."""

    def __init__(self) -> None:
        self._second = 0
        self._said = 0
        self._left_out = 0

    def say(self, error: PenchantError, verb: str, request_id: str, trace_id: str) -> None:
        """One line: a warning for the server's own faults, else for information."""
        now = int(time.monotonic())
        if now != self._second:
            self._second, self._said = now, 0
        if self._said >= MOST_A_SECOND:
            self._left_out += 1
            return
        self._said += 1
        more = f" ({self._left_out} more were left out before)" if self._left_out else ""
        self._left_out = 0
        log.log(
            logging.WARNING if error.reason in FAULTS else logging.INFO,
            "%s was answered with [%s], request %s%s",
            verb,
            error.reason,
            request_id or "without an id",
            more,
            extra={
                "verb": verb,
                "reason": error.reason,
                "request_id": request_id,
                "trace_id": trace_id,
            },
        )
