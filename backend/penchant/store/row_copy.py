"""Makes one store hold the rows of another, in passes that compare both row by row.

A pass reads both stores side by side, in the order of their keys, and writes to the target only
where the two differ. It needs to know nothing of who has changed what, so that it costs a running
server nothing but reads, may be repeated and killed, and is its own check: a pass that finds no
difference has read every row of both stores and found the same bytes. Rows of one engine alone
(`NOT_CARRIED`) are left out on both sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from penchant.domain.errors import ConfigError, StateCorrupt
from penchant.store.base import Store, Transaction
from penchant.store.codec import unseal
from penchant.store.conflict_retries import in_transaction
from penchant.store.keys import USER_PLACE, Kind

NOT_CARRIED = frozenset({Kind.RECOUNTED})
"""Kinds by which processes of one engine tell each other what to read: a new server reads all."""

EXACT_COUNTERS_SINCE = 7
"""First schema of counters that several writers can add to in any order."""

CHUNK_ROWS, CHUNK_BYTES = 8192, 16 << 20
"""Rows, and bytes of their values, that are compared at a time: a snapshot never lasts longer, so
that LMDB can use pages again that a writer has freed meanwhile."""

_LONGEST_COMMIT = {True: (512, 1 << 20), False: (4096, 8 << 20)}
"""Rows and bytes of one transaction, for a store of several writers and for one of one writer."""

_CHECKSUM_BITS = 128

Rows = list[tuple[bytes, bytes]]
Carried = Callable[[bytes, bytes], bytes]
"""(key, value in the source) -> value that the target shall have."""


@dataclass(slots=True)
class RowsChecksum:
    """Number of rows and a checksum that does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, key: bytes, value: bytes) -> None:
        """Adds a row; about 1 microsecond."""
        digest = hashlib.blake2b(key, digest_size=16, salt=len(key).to_bytes(8, "big"))
        digest.update(value)
        added = self.total + int.from_bytes(digest.digest(), "big")
        self.rows, self.total = self.rows + 1, added & ((1 << _CHECKSUM_BITS) - 1)

    def __str__(self) -> str:
        return f"{self.total:032x}"


@dataclass(slots=True)
class StoreChecksums:
    """What was read of one store."""

    users: RowsChecksum = field(default_factory=RowsChecksum)
    """Over the rows in the places of users."""
    rest: RowsChecksum = field(default_factory=RowsChecksum)
    """Over all others."""

    def add(self, key: bytes, value: bytes) -> None:
        """Adds a row."""
        (self.users if key[0] in USER_PLACE else self.rest).add(key, value)

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.users.rows + self.rest.rows


@dataclass(slots=True)
class CopyPass:
    """What one pass found and did."""

    source: StoreChecksums = field(default_factory=StoreChecksums)
    target: StoreChecksums = field(default_factory=StoreChecksums)
    """As it was before the pass wrote."""
    users: int = 0
    """Users with a record."""
    written: int = 0
    """Rows that the target lacked, or had otherwise."""
    deleted: int = 0
    """Rows that the source no longer had."""
    damaged: list[bytes] = field(default_factory=list)
    """Keys of rows whose checksum fails; they are copied as they are."""

    @property
    def changed(self) -> int:
        """Rows in which the two differed."""
        return self.written + self.deleted


def copy_pass(
    source: Store, target: Store, carried: Carried, progress: Callable[[int], None]
) -> CopyPass:
    """Compares all rows of two stores, and makes those of the target the same.

    Args:
        source: may be in use; what is written to it during the pass may be left to the next one.
        target: nobody else may write to it.
        carried: the value that the target shall have for one of the source.
        progress: called with the number of rows of the source that have been read.

    Raises:
        ConfigError: counters of a release before several writers, for a store of several writers.
        StateTooNew: a newer release wrote a row.
        StateCorrupt: a page of the source can't be read.
        StoreUnavailable: a store can't be read or written; the next pass goes on.
    """
    done = CopyPass()
    for kind in range(256):
        if kind not in NOT_CARRIED:
            _copy_kind(kind, source, target, carried, done, progress)
    return done


def _copy_kind(
    kind: int,
    source: Store,
    target: Store,
    carried: Carried,
    done: CopyPass,
    progress: Callable[[int], None],
) -> None:
    prefix = start = bytes([kind])
    while True:
        mine, mine_goes_on = _chunk(source, prefix, start)
        theirs, theirs_go_on = _chunk(target, prefix, start)
        ends = [
            rows[-1][0]
            for rows, goes_on in ((mine, mine_goes_on), (theirs, theirs_go_on))
            if goes_on
        ]
        # What only one side has read so far is read again.
        last = min(ends, default=None)
        wanted = {key: carried(key, value) for key, value in _until(mine, last)}
        found = dict(_until(theirs, last))
        for key, value in wanted.items():
            _look_at(key, value, done, several_writers=target.shared)
            done.source.add(key, value)
        for key, value in found.items():
            done.target.add(key, value)
        puts = [(key, value) for key, value in wanted.items() if found.get(key) != value]
        deletes = [key for key in found if key not in wanted]
        _write(target, puts, deletes)
        done.written += len(puts)
        done.deleted += len(deletes)
        if wanted:
            progress(done.source.rows)
        if last is None:
            return
        start = last + b"\0"


def _chunk(store: Store, prefix: bytes, start: bytes) -> tuple[Rows, bool]:
    """The rows from a key on, as many as are compared at a time, and whether there may be more."""
    rows: Rows = []
    size = 0
    with store.snapshot() as snapshot:
        for key, value in snapshot.scan(prefix, start):
            rows.append((key, value))
            size += len(value)
            if len(rows) >= CHUNK_ROWS or size >= CHUNK_BYTES:
                return rows, True
    return rows, False


def _until(rows: Rows, last: bytes | None) -> Rows:
    return rows if last is None else [row for row in rows if row[0] <= last]


def _look_at(key: bytes, value: bytes, done: CopyPass, *, several_writers: bool) -> None:
    """Notes what is remarkable in a row; raises as `copy_pass` does."""
    done.users += key[0] == Kind.USER
    try:
        unseal(value, "a row")
    except StateCorrupt:
        done.damaged.append(key)
        return
    if several_writers and key[0] == Kind.COUNTERS and value[0] < EXACT_COUNTERS_SINCE:
        raise ConfigError(
            f"store: got counters of schema {value[0]}, expected schema {EXACT_COUNTERS_SINCE} or "
            "newer, to which several servers can add; run `penchant rebuild counters` on the "
            "store first"
        )


def _write(target: Store, puts: Rows, deletes: Sequence[bytes]) -> None:
    """Writes and deletes rows in transactions of bounded size."""
    most_rows, most_bytes = _LONGEST_COMMIT[target.shared]
    batch: Rows = []
    size = 0
    for key, value in puts:
        if batch and (len(batch) >= most_rows or size + len(value) > most_bytes):
            _commit(target, batch, ())
            batch, size = [], 0
        batch.append((key, value))
        size += len(value)
    if batch:
        _commit(target, batch, ())
    for place in range(0, len(deletes), most_rows):
        _commit(target, [], deletes[place : place + most_rows])


def _commit(target: Store, puts: Rows, deletes: Sequence[bytes]) -> None:
    def work(transaction: Transaction) -> None:
        for key, value in puts:
            transaction.put(key, value)
        for key in deletes:
            transaction.delete(key)

    in_transaction(target, work)
