"""The records of users, and their event logs."""

from __future__ import annotations

from collections.abc import Iterator

from penchant.domain.types import LogRow, UserState
from penchant.domain.window import digest64
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, decode, encode


def read_user(snapshot: Snapshot, user: str) -> UserState | None:
    """The state of a user, or None; raises StateCorrupt or StateTooNew."""
    value = snapshot.get(encode(Kind.USER, user))
    return None if value is None else codec.decode_user(value)


def write_user(transaction: Transaction, user: str, state: UserState) -> None:
    """Replaces a user's state."""
    transaction.put(encode(Kind.USER, user), codec.encode_user(state))


def read_event(snapshot: Snapshot, user: str, event_digest: int) -> LogRow | None:
    """The accepted event with this digest of its id, or None."""
    value = snapshot.get(encode(Kind.LOG, user, event_digest))
    return None if value is None else codec.decode_log_row(value)


def write_event(transaction: Transaction, row: LogRow) -> None:
    """Appends an accepted event to its user's log."""
    key = encode(Kind.LOG, row.event.user, digest64(row.event.event_id))
    transaction.put(key, codec.encode_log_row(row))


def read_log(snapshot: Snapshot, user: str) -> list[LogRow]:
    """The whole log of a user, by state version."""
    rows = [codec.decode_log_row(value) for _, value in snapshot.scan(encode(Kind.LOG, user))]
    return sorted(rows, key=lambda row: row.state_version)


def scan_log(snapshot: Snapshot, user: str, start: int = 0) -> Iterator[tuple[int, LogRow, int]]:
    """The log of a user in the order of the event ids' digests, from one on.

    Yields:
        The digest, the row, and its size in bytes.
    """
    prefix = encode(Kind.LOG, user)
    for key, value in snapshot.scan(prefix, encode(Kind.LOG, user, start)):
        _, (_, digest) = decode(key)
        yield int(digest), codec.decode_log_row(value), len(value)


def scan_user_ids(snapshot: Snapshot) -> Iterator[str]:
    """The ids of all users with a record, in order."""
    for key, _ in snapshot.scan(encode(Kind.USER)):
        _, (user,) = decode(key)
        yield str(user)


def scan_user_ids_from(snapshot: Snapshot, start: str, most: int) -> list[str]:
    """The ids of the next users with a record, in order, from a text on; `most` at most."""
    found: list[str] = []
    for key, _ in snapshot.scan(encode(Kind.USER), encode(Kind.USER, start) if start else b""):
        _, (user,) = decode(key)
        found.append(str(user))
        if len(found) == most:
            break
    return found


def delete_user(transaction: Transaction, user: str) -> int:
    """Removes everything kept about a user; returns the number of log rows."""
    keys = [key for key, _ in transaction.scan(encode(Kind.LOG, user))]
    for key in keys:
        transaction.delete(key)
    transaction.delete(encode(Kind.USER, user))
    transaction.delete(encode(Kind.LEDGER, user))
    transaction.delete(encode(Kind.OWNED, user))
    return len(keys)
