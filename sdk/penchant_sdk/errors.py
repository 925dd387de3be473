"""The exceptions: one per error of the server, and a few for the connection.

Catch `PenchantError` for all of them, or `Unavailable` for those that all retries failed to cure.
The reference of errors gives the cause and the remedy of each.

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

_RETRY_AFTER = re.compile(r"retry after (\d{1,7}) ms")


class PenchantError(Exception):
    """Any error of a call. The message names the field, the value and the expectation."""

    reason: ClassVar[str] = "PenchantError"
    """The stable name of the error on the wire."""
    request_id: str = ""
    """Of the attempt that failed last, as the server's log names it; empty: nothing was sent."""
    endpoint: str = ""
    """Of the attempt that failed last, where the client has several; the text names it too."""
    connection_failed: bool = False
    """Whether there was no connection, or it broke; the server refused nothing."""

    def __init_subclass__(cls) -> None:
        cls.reason = cls.__name__


class InvalidRequest(PenchantError, ValueError):
    """A call breaks the contract: a missing argument, a size over its limit."""


class InvalidEvent(PenchantError, ValueError):
    """One event breaks the contract."""


class UnknownItem(PenchantError, ValueError):
    """An event or a reservation names an item that the catalog does not hold."""


class Unauthenticated(PenchantError):
    """The caller's identity is unknown.

    >>> Unauthenticated("authorization: the token expired 40 s ago, expected another").expired
    True
    """

    @property
    def expired(self) -> bool:
        """Whether the token was good until it expired."""
        return "token expired" in str(self)


class PermissionDenied(PenchantError):
    """The caller may not make this call."""


class UserNotFound(PenchantError, LookupError):
    """A user without any accepted event or reservation was read, exported or deleted."""


class UserForgotten(PenchantError, ValueError):
    """An event happened before its user was forgotten."""


class EventIdReused(PenchantError, ValueError):
    """An event id that is in the user's log already arrived with different content."""


class Unavailable(PenchantError):
    """The server could not take the call, after all retries; the request itself is fine.

    Cause: the server is starting, stopping, overloaded or unreachable, or one of its model
    processes died.
    Remedy: send the call again later. Events keep their `event_id`, so each counts once. If it
    persists, run `penchant doctor --target HOST:PORT`.
    """


class StoreUnavailable(Unavailable):
    """The server's store cannot read or write at the moment."""


class EncoderUnavailable(Unavailable):
    """The server's encoder cannot be reached, or failed."""


class Overloaded(Unavailable):
    """The server has more work than it queues.

    >>> Overloaded("rank: 80 calls wait; retry after 250 ms").retry_after_ms
    250
    """

    @property
    def retry_after_ms(self) -> int | None:
        """Milliseconds after which the server expects to have time; None if it gave no hint."""
        hint = _RETRY_AFTER.search(str(self))
        return None if hint is None else int(hint[1])


class SpoolRefused(Unavailable):
    """Events could not be delivered, and the client's spool could not keep them either.

    Cause: no server takes feedback, and the spool has reached `spool_bytes`, its disk is full or
    fails, or its file was replaced.
    Remedy: keep the events and send them again later, with the same `event_id`s; raise
    `spool_bytes`; after a replaced file, make a new client.
    """


class StateBehind(Unavailable):
    """The user's state has not reached the requested `min_state_version`."""


class StateTooNew(PenchantError):
    """The user's record was written by a newer release than the server's."""


class ServerError(PenchantError):
    """The server is at fault; the details are in its log.

    Cause: an error that this release of the SDK does not know, such as one of a newer server.
    Remedy: read the server's log; update the SDK.
    """


class InternalError(ServerError):
    """The server met a fault that no other error describes."""


class StateCorrupt(ServerError):
    """The user's record is damaged."""


class DeadlineExceeded(PenchantError, TimeoutError):
    """No answer came within `timeout_s`; the server may or may not have done the work.

    Cause: the timeout is too short for the call, or the server is overloaded or unreachable.
    Remedy: send the call again, or raise `timeout_s`. Events keep their `event_id`, so each counts
    once.
    """


class ModelNotFound(PenchantError, LookupError):
    """The server does not serve the Penchant model that answers the call.

    Cause: the address belongs to a Triton without Penchant, or one of the five models failed to
    load.
    Remedy: check the target; run `penchant doctor --target HOST:PORT` and read the server's log.
    """


class Cancelled(PenchantError):
    """The call was cancelled.

    Cause: the client was closed, or the task that awaits the call was cancelled.
    Remedy: make calls only while the client is open.
    """


_BY_REASON: dict[str, type[PenchantError]] = {
    error.reason: error
    for error in (
        InvalidRequest,
        InvalidEvent,
        UnknownItem,
        Unauthenticated,
        PermissionDenied,
        UserNotFound,
        UserForgotten,
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

NO_MEMORY = "the server has no memory left for a call of this size; retry after 1000 ms"

# Messages of Triton's own, which carry no reason: text, status code, exception.
_BY_TEXT: tuple[tuple[str, StatusCode, type[PenchantError]], ...] = (
    ("Exceeds maximum queue size", StatusCode.UNAVAILABLE, Overloaded),
    # A server that is stopping, or a model that is being reloaded.
    ("no available versions", StatusCode.NOT_FOUND, Unavailable),
    ("is not ready", StatusCode.NOT_FOUND, Unavailable),
    # One of the model's processes died; another may be alive, or the server starts a new one.
    ("is not healthy", StatusCode.INTERNAL, Unavailable),
    ("is unhealthy", StatusCode.INTERNAL, Unavailable),
    ("larger than max", StatusCode.RESOURCE_EXHAUSTED, InvalidRequest),
    ("metadata size exceeds", StatusCode.RESOURCE_EXHAUSTED, InvalidRequest),
)

_SHARED_MEMORY = (
    "Failed to increase the shared memory pool size",
    "No space left on device",
    "Unable to initialize shared memory",
)
"""Triton's words where shared memory cannot grow for the payloads of some calls."""

# Triton may put text of its own before the reason, such as "[request id: 7] ".
_REASON = re.compile(r"\[([A-Z][A-Za-z]*)\] ?")


def error_from_reason(reason: str, message: str) -> PenchantError | None:
    """The exception named by a reason; None for a reason that this release does not know."""
    known = _BY_REASON.get(reason)
    return None if known is None else known(message)


def error_from_status(code: StatusCode, message: str) -> PenchantError:
    """The exception for a gRPC status.

    Args:
        code: the status code.
        message: the status's text. The first reason in brackets decides, else one of Triton's own
            messages, else the code.

    Returns:
        An exception to raise. Subclasses of `Unavailable` are worth a retry.
    """
    match = _REASON.search(message)
    if match is not None:
        named = error_from_reason(match[1], message[match.end() :])
        return named or _BY_CODE.get(code, ServerError)(message)
    if any(text in message for text in _SHARED_MEMORY):
        return Overloaded(NO_MEMORY)  # Triton's text names a region of the server's.
    for text, its_code, meaning in _BY_TEXT:
        if code is its_code and text in message:
            return meaning(message)
    error = _BY_CODE.get(code, ServerError)(message)
    # Whatever the server refuses carries a reason, or one of the texts above.
    error.connection_failed = code is StatusCode.UNAVAILABLE
    return error


def name_endpoint(error: PenchantError, endpoint: str) -> None:
    """Gives an error, and its text, the endpoint of its attempt.

    >>> error = Overloaded("queue full")
    >>> name_endpoint(error, "b:8001")
    >>> error
    Overloaded('queue full (endpoint b:8001)')
    """
    error.endpoint = endpoint
    error.args = (f"{error} (endpoint {endpoint})",)
