"""The records of users, and their event logs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import LogRow, UserState
from penchant.domain.window import digest64
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import named, readable
from penchant.store.keys import BY_USER, Kind, decode, encode

_REMEDY = "restore a backup, or live on without it"
_REBUILD = "run `penchant rebuild records`, which makes it from the log"


def read_user(snapshot: Snapshot, user: str) -> UserState | None:
    """The state of a user, or None; raises StateCorrupt or StateTooNew."""
    value = read_encoded_user(snapshot, user)
    return None if value is None else sound_state(user, value)


def read_encoded_user(snapshot: Snapshot, user: str) -> bytes | None:
    """The state of a user as the store holds it, or None; nothing is checked."""
    return snapshot.get(encode(Kind.USER, user))


def sound_state(user: str, value: bytes) -> UserState:
    """The state that a user's row holds; raises StateCorrupt or StateTooNew."""
    try:
        return codec.decode_user(value)
    except StateCorrupt as error:
        raise named(error, user, _REBUILD) from error


def write_user(transaction: Transaction, user: str, state: UserState) -> None:
    """Replaces a user's state."""
    write_encoded_user(transaction, user, codec.encode_user(state))


def write_encoded_user(transaction: Transaction, user: str, value: bytes) -> None:
    """Replaces a user's state by one that is encoded already."""
    transaction.put(encode(Kind.USER, user), value)


def event_keys(user: str, event_digests: Iterable[int]) -> Iterator[bytes]:
    """The keys of events in a user's log, to fetch them."""
    return (encode(Kind.LOG, user, digest) for digest in event_digests)


def read_event(snapshot: Snapshot, user: str, event_digest: int) -> LogRow | None:
    """The accepted event with this digest of its id, or None; raises StateCorrupt."""
    value = snapshot.get(encode(Kind.LOG, user, event_digest))
    try:
        return None if value is None else codec.decode_log_row(value)
    except StateCorrupt as error:
        raise named(error, user, _REMEDY) from error


def read_sound_event(snapshot: Snapshot, user: str, event_digest: int) -> LogRow | None:
    """As `read_event`; None, too, if it is corrupt: the log says so."""
    key = encode(Kind.LOG, user, event_digest)
    value = snapshot.get(key)
    if value is None:
        return None
    return next((row for _, row in readable([(key, value)], codec.decode_log_row, _REMEDY)), None)


def write_event(transaction: Transaction, row: LogRow) -> None:
    """Appends an accepted event to its user's log."""
    key = encode(Kind.LOG, row.event.user, digest64(row.event.event_id))
    transaction.put(key, codec.encode_log_row(row))


def delete_event(transaction: Transaction, user: str, event_id: str) -> None:
    """Removes an event from its user's log."""
    transaction.delete(encode(Kind.LOG, user, digest64(event_id)))


def delete_record(transaction: Transaction, user: str) -> None:
    """Removes a user's record."""
    transaction.delete(encode(Kind.USER, user))


def read_log(snapshot: Snapshot, user: str) -> list[LogRow]:
    """The whole log of a user, by state version; corrupt rows are left out, and said in the log."""
    scanned = snapshot.scan(encode(Kind.LOG, user))
    rows = [row for _, row in readable(scanned, codec.decode_log_row, _REMEDY)]
    return sorted(rows, key=lambda row: row.state_version)


def read_logs(snapshot: Snapshot, users: Sequence[str]) -> Iterator[tuple[str, list[LogRow]]]:
    """As `read_log` for some users, in the order of their keys, who lie close together.

    Cost: reads the logs of those between them as well; over a network by pages, not one by one.
    """
    first, last = encode(Kind.LOG, users[0]), encode(Kind.LOG, users[-1])
    wanted = set(users)
    scanned = itertools.takewhile(
        lambda row: row[0] < last or row[0].startswith(last),
        snapshot.scan(encode(Kind.LOG), first),
    )
    for user, rows in itertools.groupby(scanned, key=lambda row: str(decode(row[0])[1][0])):
        if user in wanted:
            decoded = [row for _, row in readable(rows, codec.decode_log_row, _REMEDY)]
            yield user, sorted(decoded, key=lambda row: row.state_version)


def read_whole_log(snapshot: Snapshot, user: str) -> list[LogRow]:
    """As `read_log`; raises StateCorrupt if a row cannot be read."""
    scanned = snapshot.scan(encode(Kind.LOG, user))
    try:
        rows = [codec.decode_log_row(value) for _, value in scanned]
    except StateCorrupt as error:
        raise named(error, user, _REMEDY) from error
    return sorted(rows, key=lambda row: row.state_version)


def scan_log(snapshot: Snapshot, user: str, start: int = 0) -> Iterator[tuple[int, LogRow, int]]:
    """The log of a user by the digests of its event ids, from one on, as `read_log` reads it.

    Yields:
        The digest, the row, and its size in bytes.
    """
    scanned = snapshot.scan(encode(Kind.LOG, user), encode(Kind.LOG, user, start))
    for (_, digest), (row, size) in readable(scanned, _sized_row, _REMEDY):
        yield int(digest), row, size


def _sized_row(value: bytes) -> tuple[LogRow, int]:
    return codec.decode_log_row(value), len(value)


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


def scan_records(snapshot: Snapshot, start: str = "") -> Iterator[tuple[str, int, bytes]]:
    """The users with a record, in order from a text on: each one's state version, and the record.

    A damaged record may give any number. Cost: a look at each record, 1 to 2 us.
    """
    for key, value in snapshot.scan(encode(Kind.USER), encode(Kind.USER, start) if start else b""):
        _, (user,) = decode(key)
        try:
            yield str(user), codec.version_in_record(value), value
        except StateCorrupt:
            yield str(user), 0, value


def sound_version(record: bytes) -> int:
    """The state version in a record, or 0 if it is damaged. Raises StateTooNew."""
    try:
        return codec.decode_user(record).record.state_version
    except StateCorrupt:
        return 0


def scan_recent_times(snapshot: Snapshot, most_users: int) -> list[int]:
    """Times of the latest events of some users, in microseconds since 1970, in no order."""
    times: list[int] = []
    rows = itertools.islice(snapshot.scan(encode(Kind.USER)), most_users)
    for _, state in readable(rows, codec.decode_user, _REMEDY):
        times += state.record.window["occurred_at_us"].tolist()
    return times


def holds_user(snapshot: Snapshot, user: str) -> bool:
    """Whether anything is kept about a user, readable or not."""
    return any(next(snapshot.scan(encode(kind, user)), None) is not None for kind in BY_USER)


def scan_all_users(snapshot: Snapshot) -> list[str]:
    """The ids of all users of whom anything is kept, in order. Cost: a look at all their keys."""
    found: set[str] = set()
    for kind in BY_USER:
        found.update(str(decode(key)[1][0]) for key, _ in snapshot.scan(encode(kind)))
    return sorted(found)


def scan_users_with_events_until(
    snapshot: Snapshot, until_us: int, start: bytes, most: int
) -> tuple[set[str], bytes | None]:
    """The ids of users whose log holds an event up to a time, or a row that can't be read.

    Args:
        snapshot: to read.
        until_us: the time, in microseconds since 1970.
        start: key to begin at; empty: the first.
        most: rows to look at, 1 or more; each takes 10 us.

    Returns:
        The users, and where to go on; None: those were all rows.
    """
    found: set[str] = set()
    looked, last = 0, b""
    for key, value in itertools.islice(snapshot.scan(encode(Kind.LOG), start), most):
        looked, last = looked + 1, key
        user = str(decode(key)[1][0])
        if user in found:
            continue
        try:
            if codec.decode_log_row(value).event.occurred_at_us <= until_us:
                found.add(user)
        except StateCorrupt:
            found.add(user)
    return found, last + b"\0" if looked == most else None


def read_items_until(snapshot: Snapshot, users: Iterable[str], until_us: int) -> set[str]:
    """The items of some users' events up to a time, as far as they can be read."""
    return {
        row.event.item
        for user in users
        for row in read_log(snapshot, user)
        if row.event.occurred_at_us <= until_us
    }


def any_user(snapshot: Snapshot) -> bool:
    """Whether anything is kept about anybody."""
    return any(next(snapshot.scan(encode(kind)), None) is not None for kind in BY_USER)


def count_events(snapshot: Snapshot, user: str, most: int) -> int:
    """The events in a user's log, at most `most`. Cost: about 1 us each."""
    return sum(1 for _ in itertools.islice(snapshot.scan(encode(Kind.LOG, user)), most))


def delete_user(transaction: Transaction, user: str) -> dict[Kind, int]:
    """Removes every row whose key begins with a user's id; returns their numbers by kind."""
    found = {kind: [key for key, _ in transaction.scan(encode(kind, user))] for kind in BY_USER}
    for keys in found.values():
        for key in keys:
            transaction.delete(key)
    return {kind: len(keys) for kind, keys in found.items() if keys}


def newest_event_us(snapshot: Snapshot, user: str) -> int:
    """The time of a user's newest event, in microseconds since 1970; 0: none, or not readable."""
    value = snapshot.get(encode(Kind.USER, user))
    return 0 if value is None else _newest_in(value)


def newest_event_of_all_us(snapshot: Snapshot) -> int:
    """The time of the newest event of all users with a record; 0 if there is none.

    Cost: a look at every record, 1 to 2 s for a million users.
    """
    return max((_newest_in(value) for _, value in snapshot.scan(encode(Kind.USER))), default=0)


def _newest_in(value: bytes) -> int:
    try:
        return codec.newest_in_record(value)
    except StateCorrupt:
        return 0
