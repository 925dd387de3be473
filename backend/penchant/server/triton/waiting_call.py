"""A call that waits for its answer, and the question whether anybody still waits for it."""

from __future__ import annotations

import logging
import time
from typing import Any

from penchant.domain.errors import Overloaded
from penchant.server.dispatch import Lane, ParsedCall
from penchant.server.triton.traces import CallTrace

log = logging.getLogger("penchant")

UNSTATED_TIMEOUT_S = {Lane.SMALL: 1.0, Lane.ENCODER: 1.0, Lane.BULK: 30.0}
"""Assumed of a caller who does not say how long it waits."""
ASK_EVERY_S = 0.05
"""Seconds between two questions to Triton whether the caller is gone; each is a message."""

EXPIRED = Overloaded(
    "REQUEST: the caller's time ran out while the call waited, expected an answer within it; "
    "send fewer calls at a time, or raise timeout_s"
)
"""The answer to a call that nobody waits for any more."""


class WaitingCall:
    """A parsed call with the way to its caller."""

    __slots__ = ("_asked_s", "arrived_s", "call", "deadline_s", "request_id", "sender", "trace")

    def __init__(
        self,
        sender: Any,
        call: ParsedCall,
        request_id: str = "",
        trace: CallTrace | None = None,
    ) -> None:
        """Takes the time of arrival.

        Args:
            sender: Triton's response sender of the request.
            call: the call.
            request_id: as the caller named the request; may be empty.
            trace: the trace that the call belongs to; None: none.
        """
        self.sender = sender
        self.call = call
        self.request_id = request_id
        self.trace = trace
        self.arrived_s = time.monotonic()
        self.deadline_s = self.arrived_s + (call.timeout_s or float("inf"))
        self._asked_s = self.arrived_s

    @property
    def timeout_s(self) -> float:
        """Seconds from arrival for which the caller waits."""
        return self.call.timeout_s or UNSTATED_TIMEOUT_S[self.call.lane]

    def abandoned(self, needs_s: float = 0.0) -> bool:
        """Whether nobody waits for the answer: it would come too late, or Triton says so.

        Args:
            needs_s: seconds that the answer is expected to take from now on.
        """
        now_s = time.monotonic()
        if now_s + needs_s >= self.deadline_s:
            return True
        if now_s - self._asked_s < ASK_EVERY_S:
            return False
        self._asked_s = now_s
        try:
            return bool(self.sender.is_cancelled())
        except Exception:  # Whatever Triton's trouble is, the lane must go on.
            log.exception("Triton did not say whether the caller of %s is gone", self.call.field)
            return False
