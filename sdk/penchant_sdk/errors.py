"""The SDK's exceptions: one for each error of the server, and a few for errors of the connection.

Catch `PenchantError` for any of them, `Unavailable` for those that retries did not cure.

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
    """Base class; the text names the field at fault, the value received and the value expected."""

    reason: ClassVar[str] = "PenchantError"
    """Stable name of the error on the wire."""

    def __init_subclass__(cls) -> None:
        cls.reason = cls.__name__


class InvalidRequest(PenchantError, ValueError):
    """The call breaks the contract: an argument is missing, or exceeds its limit."""


class InvalidEvent(PenchantError, ValueError):
    """An event breaks the contract."""


class UnknownItem(PenchantError, ValueError):
    """The catalog does not hold the item."""


class Unauthenticated(PenchantError):
    """The server does not know who the caller is."""


class PermissionDenied(PenchantError):
    """The caller is not allowed to do this."""


class UserNotFound(PenchantError, LookupError):
    """The user to read, export or delete has no accepted event."""


class EventIdReused(PenchantError, ValueError):
    """The user's log already holds an event with this id and other content."""


class Unavailable(PenchantError):
    """The request is valid, but the server did not take it, even after all retries.

    It is safe to send again: events keep their `event_id`, so each counts once.
    """


class StoreUnavailable(Unavailable):
    """The server's store cannot be read or written now."""


class EncoderUnavailable(Unavailable):
    """The server's encoder failed or cannot be reached."""


class Overloaded(Unavailable):
    """The server's queue is full."""


class StateBehind(Unavailable):
    """The user's state has not reached the requested `min_state_version`."""


class StateTooNew(PenchantError):
    """A newer release than the server's wrote the user's record."""


class ServerError(PenchantError):
    """The fault is the server's; the details are in its log."""


class InternalError(ServerError):
    """The server failed in an unexpected way."""


class StateCorrupt(ServerError):
    """The user's record is damaged."""


class DeadlineExceeded(PenchantError, TimeoutError):
    """The server did not answer within `timeout_s`; it may or may not have done the work.

    Events may be sent again: they keep their `event_id`, so each counts once.
    """


class ModelNotFound(PenchantError, LookupError):
    """The server does not serve this model of Penchant's."""


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

# Triton's own messages, which carry no reason: part of the text, the status code, the exception.
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
    """The exception for a reason; None if this release does not know the reason."""
    known = _BY_REASON.get(reason)
    return None if known is None else known(message)


def error_from_status(code: StatusCode, message: str) -> PenchantError:
    """The exception for a gRPC status.

    Args:
        code: the status code.
        message: the status's text. The first reason in brackets decides, then Triton's own
            messages, then the code.

    Returns:
        An exception to raise. Only instances of `Unavailable` are worth a retry.
    """
    match = _REASON.search(message)
    if match is not None:
        named = error_from_reason(match[1], message[match.end() :])
        return named or _BY_CODE.get(code, ServerError)(message)
    for text, its_code, meaning in _BY_TEXT:
        if code is its_code and text in message:
            return meaning(message)
    return _BY_CODE.get(code, ServerError)(message)
