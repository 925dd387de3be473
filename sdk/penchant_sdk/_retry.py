"""Deadlines and retries: whether to try a call again, and how long to wait first.

All attempts of a call share one deadline. An overloaded server says when to come back; a call whose
deadline is before that is given up at once.

>>> from penchant_sdk.errors import Overloaded
>>> attempts = Attempts(RetryPolicy(max_attempts=2), "rank", timeout_s=1.0)
>>> 0 < attempts.remaining_s() <= 1.0
True
>>> 0 < attempts.pause_after(Overloaded("queue full")) < 0.05
True
>>> attempts.pause_after(Overloaded("queue full"))
Traceback (most recent call last):
penchant_sdk.errors.Overloaded: queue full (rank: 2 attempts)
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from penchant_sdk._arguments import longer_than_zero, whole
from penchant_sdk._request_trace import name_attempt
from penchant_sdk._retry_budget import RetryBudget
from penchant_sdk.errors import (
    DeadlineExceeded,
    ModelNotFound,
    Overloaded,
    PenchantError,
    Unavailable,
)

BULK_TIMEOUT_S = 30.0
"""Default timeout of a call that may encode hundreds of texts."""

NOT_READY = (DeadlineExceeded, ModelNotFound, Unavailable)
"""Errors that mean "not ready" when a server is asked whether it is; others are raised."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Number of attempts, and the pauses between them."""

    max_attempts: int = 4
    """Attempts for one call, the first included; 1 means no retry."""
    first_pause_s: float = 0.04
    """Longest first pause; each later pause may be twice as long as the one before."""
    max_pause_s: float = 1.0
    """Longest pause of all."""

    def __post_init__(self) -> None:
        whole("max_attempts", self.max_attempts, least=1)


def check_timeout(timeout_s: float) -> float:
    """Returns the timeout; raises InvalidRequest unless it is more than 0 and finite."""
    longer_than_zero("timeout_s", timeout_s)
    return timeout_s


class Attempts:
    """Counts the attempts of one call and keeps its deadline."""

    __slots__ = ("_budget", "_deadline", "_made", "_policy", "_timeout_s", "_verb")

    def __init__(
        self,
        policy: RetryPolicy,
        verb: str,
        timeout_s: float,
        budget: RetryBudget | None = None,
    ) -> None:
        self._policy = policy
        self._verb = verb
        self._timeout_s = check_timeout(timeout_s)
        self._budget = budget
        self._deadline = time.monotonic() + timeout_s
        self._made = 0

    def remaining_s(self) -> float:
        """Seconds left for the next attempt; raises DeadlineExceeded if none are left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._expired("")
        return left

    def pause_after(
        self, error: PenchantError, *, elsewhere: bool = False, free_in_s: float | None = None
    ) -> float:
        """Seconds to wait before the next attempt.

        Args:
            error: the error of the attempt that just failed.
            elsewhere: whether the next attempt goes to another endpoint, which needs no pause.
            free_in_s: seconds until an endpoint has time. None: as the error says.

        Raises:
            PenchantError: no attempt is left, or the client's retry budget is used up. This is
                `error` itself, or a copy that says so.
        """
        self._made += 1
        if isinstance(error, DeadlineExceeded):
            raise self._copy(error, self._expired(str(error)))
        if not isinstance(error, Unavailable) and not (
            elsewhere and isinstance(error, ModelNotFound)
        ):
            raise error
        if self._made >= self._policy.max_attempts:
            raise self._given_up(error)
        pause = 0.0
        if not elsewhere:
            longest = min(
                self._policy.max_pause_s, self._policy.first_pause_s * 2.0 ** (self._made - 1)
            )
            # Random, so that clients that failed together do not come back together.
            pause = longest * random.uniform(0.5, 1.0)
            if free_in_s is not None:
                pause += free_in_s
            elif isinstance(error, Overloaded) and error.retry_after_ms is not None:
                # Not before the server expects to have time: that would only add to its load.
                pause += error.retry_after_ms / 1e3
        if time.monotonic() + pause >= self._deadline:
            # Report the cause rather than the deadline.
            raise self._given_up(error)
        # A connection that failed is no sign of load, and a call that it cut off is none either.
        if self._budget and not error.connection_failed and not self._budget.take():
            raise self._given_up(error, "; the client's retry budget is used up")
        return pause

    def _given_up(self, error: PenchantError, why: str = "") -> PenchantError:
        if self._made == 1 and not why:
            return error
        tries = "1 attempt" if self._made == 1 else f"{self._made} attempts"
        return self._copy(error, type(error)(f"{error} ({self._verb}: {tries}{why})"))

    def _copy(self, error: PenchantError, copy: PenchantError) -> PenchantError:
        """Another error for the same attempt."""
        copy.endpoint, copy.connection_failed = error.endpoint, error.connection_failed
        name_attempt(copy, error.request_id)
        return copy

    def _expired(self, message: str) -> DeadlineExceeded:
        detail = f": {message}" if message else ""
        return DeadlineExceeded(f"{self._verb}: no answer within {self._timeout_s:g} s{detail}")
