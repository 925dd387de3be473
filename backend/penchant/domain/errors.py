"""What can go wrong, as the domain says it.

Each error has a stable `reason` that clients may rely on and a plain `kind`, which
`server/triton/errors.py` maps to a status. The text names the field, the value and the range.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class ErrorKind(Enum):
    """What a caller can do about an error."""

    INVALID = "invalid"
    """The request is wrong; sending it again won't help."""
    NOT_FOUND = "not_found"
    """What was asked for is not there."""
    CONFLICT = "conflict"
    """The request contradicts what is stored."""
    UNAVAILABLE = "unavailable"
    """Nothing is wrong with the request; send it again in a moment."""
    UNSUPPORTED = "unsupported"
    """This release can't read what is stored."""
    INTERNAL = "internal"
    """The fault is the server's; its text stays in the server's log."""


class PenchantError(Exception):
    """Any error of Penchant's; `str()` of it is fit for a client unless the kind is INTERNAL.

    >>> error = InvalidEvent("value: got nan, expected a finite number")
    >>> error.reason, error.kind.name
    ('InvalidEvent', 'INVALID')
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    @property
    def reason(self) -> str:
        """The stable word that names the error on the wire."""
        return type(self).__name__


class InvalidRequest(PenchantError):
    """A call that breaks the contract: a missing field, an excess size, unreadable bytes."""

    kind = ErrorKind.INVALID


class InvalidEvent(PenchantError):
    """One event that breaks the contract."""

    kind = ErrorKind.INVALID


class UnknownItem(PenchantError):
    """An event about an item that the catalog does not hold."""

    kind = ErrorKind.INVALID


class Unauthenticated(PenchantError):
    """Nobody vouches for the caller."""

    kind = ErrorKind.INVALID


class PermissionDenied(PenchantError):
    """The caller may not do this."""

    kind = ErrorKind.INVALID


class UserNotFound(PenchantError):
    """A read, export or deletion of a user without any accepted event."""

    kind = ErrorKind.NOT_FOUND


class EventIdReused(PenchantError):
    """An event id that the user's log already holds with other content."""

    kind = ErrorKind.CONFLICT


class StoreUnavailable(PenchantError):
    """The store can't take or give data now: it is full, locked or gone."""

    kind = ErrorKind.UNAVAILABLE


class EncoderUnavailable(PenchantError):
    """The encoder can't be reached or failed."""

    kind = ErrorKind.UNAVAILABLE


class Overloaded(PenchantError):
    """More work than the server will queue."""

    kind = ErrorKind.UNAVAILABLE


class StateBehind(PenchantError):
    """The user's state has not reached the version that the request asks for."""

    kind = ErrorKind.UNAVAILABLE


class StateTooNew(PenchantError):
    """A record written by a newer release."""

    kind = ErrorKind.UNSUPPORTED


class StateCorrupt(PenchantError):
    """A record whose checksum or shape is wrong."""

    kind = ErrorKind.INTERNAL


class InternalError(PenchantError):
    """A fault that no other error names; the server's log has its traceback."""


class ConfigError(PenchantError):
    """A setting that is missing, unknown or out of range; raised at start, never by a request."""

    kind = ErrorKind.INTERNAL
