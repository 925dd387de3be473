"""What can go wrong: one exception for each error of the server's, and a few of the wire's.

Catch `PenchantError` for all of them, `Unavailable` for those that were retried in vain.

    >>> error = error_from_status(StatusCode.INVALID_ARGUMENT, "[UnknownItem] item: got 'x'")
    >>> error
    UnknownItem("item: got 'x'")
    >>> isinstance(error, PenchantError)
    True
"""

from __future__ import annotations

import re
from typing import ClassVar

from grpc import StatusCode


class PenchantError(Exception):
    """Any error of a call; its text says what was wrong, what was got and what was expected."""

    reason: ClassVar[str] = "PenchantError"
    """The stable word that names the error on the wire."""

    def __init_subclass__(cls) -> None:
        cls.reason = cls.__name__


class InvalidRequest(PenchantError, ValueError):
    """A call that breaks the contract: a missing argument, a size over its limit."""


class InvalidEvent(PenchantError, ValueError):
    """One event that breaks the contract."""


class UnknownItem(PenchantError, ValueError):
    """An event about an item that the catalog does not hold."""


class Unauthenticated(PenchantError):
    """Nobody vouches for the caller."""


class PermissionDenied(PenchantError):
    """The caller may not do this."""


class UserNotFound(PenchantError, LookupError):
    """A read, export or deletion of a user without any accepted event."""


class EventIdReused(PenchantError, ValueError):
    """An event id that the user's log already holds with other content."""


class Unavailable(PenchantError):
    """Nothing is wrong with the request; the server could not take it, after all retries.

    Safe to send again: an event keeps its `event_id`, so it counts once.
    """


class StoreUnavailable(Unavailable):
    """The server's store can't take or give data now."""


class EncoderUnavailable(Unavailable):
    """The server's encoder can't be reached or failed."""


class Overloaded(Unavailable):
    """More work than the server will queue."""


class StateBehind(Unavailable):
    """The user's state has not reached the `min_state_version` asked for."""


class StateTooNew(PenchantError):
    """The user's record was written by a newer release than the server's."""


class ServerError(PenchantError):
    """The fault is the server's; the details are in its log."""


class InternalError(ServerError):
    """The server met something that it did not foresee."""


class StateCorrupt(ServerError):
    """The user's record is damaged."""


class DeadlineExceeded(PenchantError, TimeoutError):
    """No answer within `timeout_s`; whether the server did the work is unknown.

    Events may be sent again: they keep their `event_id`, so they count once.
    """


class ModelNotFound(PenchantError, LookupError):
    """The server does not serve Penchant's models, or not this one."""


class Cancelled(PenchantError):
    """The client was closed, or the call was cancelled."""


_BY_REASON: dict[str, type[PenchantError]] = {
    error.reason: error
    for error in (
        InvalidRequest,
        InvalidEvent,
        UnknownItem,
        Unauthenticated,
        PermissionDenied,
        UserNotFound,
        EventIdReused,
        StoreUnavailable,
        EncoderUnavailable,
        Overloaded,
        StateBehind,
        StateTooNew,
        StateCorrupt,
        InternalError,
    )
}

_BY_CODE: dict[StatusCode, type[PenchantError]] = {
    StatusCode.INVALID_ARGUMENT: InvalidRequest,
    StatusCode.OUT_OF_RANGE: InvalidRequest,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.PERMISSION_DENIED: PermissionDenied,
    StatusCode.NOT_FOUND: ModelNotFound,
    StatusCode.UNAVAILABLE: Unavailable,
    StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    StatusCode.CANCELLED: Cancelled,
}

# Triton's own words, which carry no reason: text, code that it comes with, and what it means.
_BY_TEXT: tuple[tuple[str, StatusCode, type[PenchantError]], ...] = (
    ("Exceeds maximum queue size", StatusCode.UNAVAILABLE, Overloaded),
    # A server that is stopping, or a model that is being reloaded.
    ("no available versions", StatusCode.NOT_FOUND, Unavailable),
    ("is not ready", StatusCode.NOT_FOUND, Unavailable),
    ("larger than max", StatusCode.RESOURCE_EXHAUSTED, InvalidRequest),
)

# Triton may put text of its own before the reason, such as "[request id: 7] ".
_REASON = re.compile(r"\[([A-Z][A-Za-z]*)\] ?")


def error_from_reason(reason: str, message: str) -> PenchantError | None:
    """The exception that a reason names, or None for a reason that this release does not know."""
    known = _BY_REASON.get(reason)
    return None if known is None else known(message)


def error_from_status(code: StatusCode, message: str) -> PenchantError:
    """The exception for a status of the wire.

    Args:
        code: the gRPC status code.
        message: the status's text. Its first reason in brackets decides; else Triton's own words;
            else the code.

    Returns:
        An exception to raise. The ones to retry are the `Unavailable`.
    """
    match = _REASON.search(message)
    if match is not None:
        named = error_from_reason(match[1], message[match.end() :])
        return named or _BY_CODE.get(code, ServerError)(message)
    for text, its_code, meaning in _BY_TEXT:
        if code is its_code and text in message:
            return meaning(message)
    return _BY_CODE.get(code, ServerError)(message)
