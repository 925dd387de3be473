"""The errors of the domain.

Each error has a stable `reason`, on which clients may rely, and a `kind`, which
`server/triton/errors.py` maps to a status code. Each docstring ends with the cause and the remedy:
the reference of errors is generated from them. Messages name the field, the value and the
expectation.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class ErrorKind(Enum):
    """What a caller can do about an error."""

    INVALID = "invalid"
    """The request is wrong; sending it again fails again."""
    NOT_FOUND = "not_found"
    """The requested thing does not exist."""
    CONFLICT = "conflict"
    """The request contradicts stored data."""
    UNAVAILABLE = "unavailable"
    """The request is fine; send it again shortly."""
    UNSUPPORTED = "unsupported"
    """This release cannot read the stored data."""
    INTERNAL = "internal"
    """The server is at fault; the details stay in its log."""


class PenchantError(Exception):
    """Any error of Penchant's. `str()` of it is fit for a client unless the kind is INTERNAL.

    >>> error = InvalidEvent("value: got nan, expected a finite number")
    >>> error.reason, error.kind.name
    ('InvalidEvent', 'INVALID')
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(self, text: str = "", cause: str = "") -> None:
        """Makes the error.

        Args:
            text: what was wrong, what was got, and what was expected.
            cause: a word for the metric that counts refused callers; empty: it is none of those.
        """
        super().__init__(text)
        self.cause = cause

    @property
    def reason(self) -> str:
        """The stable name of the error on the wire."""
        return type(self).__name__


class InvalidRequest(PenchantError):
    """A call breaks the contract.

    Cause: a required field is missing, a value is out of range, a list is too long, the bytes are
    not a `Call`, or the call went to a model that answers other methods.
    Remedy: correct the field that the message names. Retrying cannot help.
    """

    kind = ErrorKind.INVALID


class InvalidEvent(PenchantError):
    """One event breaks the contract; the other events of the call are not affected.

    Cause: an unknown signal, a missing or non-finite value, or a time more than five minutes ahead
    of the server's clock.
    Remedy: correct the event. For an unknown signal, check the server's setting `signals`.
    """

    kind = ErrorKind.INVALID


class UnknownItem(PenchantError):
    """An event or a reservation names an item that the catalog does not hold.

    Cause: the item was never put, was deleted, or its id is spelt differently.
    Remedy: put the item first, then send the event again.
    """

    kind = ErrorKind.INVALID


class Unauthenticated(PenchantError):
    """The caller's identity is unknown.

    Cause: the server asks for tokens (setting `token_keys`), and the call carries none, more than
    one, or one that is malformed, forged, expired, not valid yet, or for another service. A proxy
    in front of Triton may raise this too.
    Remedy: pass `token` to the client, or `--token-file` to a command; a callable may fetch a new
    one whenever the old one has expired. The message says what is wrong with the token.
    """

    kind = ErrorKind.INVALID


class PermissionDenied(PenchantError):
    """The caller may not make this call.

    Cause: the token's scopes do not cover the method, its key does not speak for its tenant, the
    server holds as many tenants as it may (setting `tenant_limit`), or the tenant's name is too
    long beside the namespace of a store on Valkey. A proxy in front of Triton may raise this too.
    Remedy: use a token with the scope that the message names, or a shorter name.
    """

    kind = ErrorKind.INVALID


class UserNotFound(PenchantError):
    """A user without any accepted event or reservation was read, exported or deleted.

    Cause: the user has sent nothing yet, was forgotten, or the id is spelt differently.
    Remedy: treat the user as unknown. `rank` never raises this: it ranks new users as well.
    """

    kind = ErrorKind.NOT_FOUND


class UserForgotten(PenchantError):
    """An event happened before its user was forgotten; other events of the call are not affected.

    Cause: an event that was on its way, is sent again, or comes from an old log or an import.
    Remedy: leave the event out. Events after that moment are accepted, and begin anew.
    """

    kind = ErrorKind.INVALID


class EventIdReused(PenchantError):
    """An event id that is in the user's log already arrived with different content.

    Cause: two different events were given the same id.
    Remedy: give each event its own id, and keep it only when sending the same event again.
    """

    kind = ErrorKind.CONFLICT


class StoreUnavailable(PenchantError):
    """The store cannot read or write at the moment.

    Cause: the store has reached 98 % of its size limit, the disk is full, its files are gone,
    replaced or damaged, another process is stopped in the midst of a write, or another server
    holds the store.
    Remedy: do what the message says; `penchant doctor` shows how full the store is, who writes to
    it, and whether the catalog's files are whole. Raise `store_map_bytes`, free disk space, or
    forget users. Reading and forgetting users work even in a full store.
    """

    kind = ErrorKind.UNAVAILABLE

    def __init__(self, text: str = "", cause: str = "", *, silent: bool = False) -> None:
        """Makes the error.

        Args:
            text: as in `PenchantError`.
            cause: as in `PenchantError`.
            silent: whether a server of the store gave no answer; else something has refused.
        """
        super().__init__(text, cause)
        self.silent = silent


class EncoderUnavailable(PenchantError):
    """The encoder cannot be reached, or failed.

    Cause: the model `penchant_encoder` is down or still loading, or its engine failed.
    Remedy: send the call again; if the error persists, run `penchant doctor` and read the server's
    log. Calls without text (no `query`, no new items) do not need the encoder.
    """

    kind = ErrorKind.UNAVAILABLE


class Overloaded(PenchantError):
    """The server has more work than it can do in time.

    Cause: the calls that wait already would take longer than this call's caller waits, so it is
    refused at once; or the caller's time ran out in the queue; or the caller or its tenant makes
    more calls than its limit (settings `caller_calls_per_s` and `tenant_calls_per_s`).
    Remedy: send the call again after the time that the message names, which the SDK does if its
    deadline allows; send fewer calls, or add processes with `--rank-instances`.
    """

    kind = ErrorKind.UNAVAILABLE


class StateBehind(PenchantError):
    """The user's state has not reached the requested `min_state_version`.

    Cause: the version comes from another store, or from before the user was forgotten.
    Remedy: send the call again; if the error persists, rank without `min_state_version`.
    """

    kind = ErrorKind.UNAVAILABLE


class StateTooNew(PenchantError):
    """A stored record was written by a newer release.

    Cause: the server was downgraded, or an old server shares the store of a new one.
    Remedy: run the release that wrote the record, or a newer one.
    """

    kind = ErrorKind.UNSUPPORTED


class StateCorrupt(PenchantError):
    """A stored record fails its checksum.

    Cause: the disk or the file system damaged the store's file.
    Remedy: the server's log names the row. For a user, run `penchant rebuild`, which computes
    records from the event log; put a damaged item again; for counters, run `penchant rebuild
    counters`; restore a backup if the log is damaged too.
    """

    kind = ErrorKind.INTERNAL


class InternalError(PenchantError):
    """The server met a fault that no other error describes.

    Cause: a defect of Penchant or of its environment.
    Remedy: find the traceback in the server's log, and report it.
    """


class ConfigError(PenchantError):
    """A setting or an option is missing, unknown or out of range.

    Cause: a wrong parameter in `config.pbtxt`, a wrong `--set` or another wrong option of a
    command. Raised at start, never by a call.
    Remedy: correct the setting that the message names.
    """

    kind = ErrorKind.INTERNAL
