"""The protocol of a store: bytes under ordered keys, snapshots and transactions.

`tests/contracts/store_laws.py` holds the laws, one suite for all engines. The other modules of this
package write everything that Penchant keeps in these terms, with the keys of `keys` and the
encodings of `codec`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

DEFAULT_MAP_BYTES = 64 << 30
"""Bytes of address space that an LMDB store reserves; its file grows only as it fills."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The fill level of a store."""

    used_bytes: int
    map_bytes: int
    """Size limit of the store; 0: none."""
    entries: int

    @property
    def fraction(self) -> float:
        """Used share of the size limit, 0 to 1; 0 without a limit.

        >>> Usage(used_bytes=512, map_bytes=1024, entries=3).fraction
        0.5
        """
        return self.used_bytes / self.map_bytes if self.map_bytes else 0.0


class WriteConflict(Exception):
    """Another writer was faster: some or all of a transaction was not written.

    It never leaves the services, which run their work again for what was not written.
    """

    def __init__(
        self,
        users: Iterable[str] = (),
        written: Iterable[bytes] = (),
        turn: Callable[[float], None] | None = None,
    ) -> None:
        """Says what was written, and what was not.

        Args:
            users: those whose rows were not written, where those of others were; none: nobody's.
            written: the keys of rows that are nobody's own and were written all the same.
            turn: waits until it is this thread's turn to try again, for a number of seconds at
                most; None: the store keeps no order.
        """
        self.users, self.written, self.turn = frozenset(users), frozenset(written), turn
        what = f"the rows of {len(self.users)} users" if self.users else "the whole transaction"
        super().__init__(f"not written, since another writer was faster: {what}")


class Snapshot(Protocol):
    """A consistent view of the store as of its beginning.

    An engine with places (`penchant.store.places`) is consistent within each place alone.
    """

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None."""
        ...

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """The keys that have a prefix, and their values, in ascending order from `start` on."""
        ...

    def fetch(self, keys: Iterable[bytes]) -> None:
        """Says which keys will be read, so that an engine over a network reads them in one go.

        Engines on this machine do nothing. An error shows when the key is read.
        """
        ...

    def fetch_users(self, users: Iterable[str]) -> None:
        """As `fetch` for all rows of some users; what is long is left out, and read as before."""
        ...


class Transaction(Snapshot, Protocol):
    """A snapshot that sees its own writes, which become visible to others all at once.

    In an engine with places they become visible place by place; see `WriteConflict`.
    """

    shared: bool
    """As of its store. Where it is, what all users share is merged on the way of an event, never
    put by value."""

    def put(self, key: bytes, value: bytes) -> None:
        """Sets the value of a key; raises StoreUnavailable if the store is full.

        A full store still takes a value that is no longer than the one it replaces.
        """
        ...

    def delete(self, key: bytes) -> None:
        """Removes a key, if it is there."""
        ...

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        """Adds an operand to a row that all users share, by the rule of its kind.

        Nobody else's operand is lost, and none counts twice. An engine on this machine applies it
        at once; one over a network keeps it with the user's rows until it is applied, within a
        second. A read in the same transaction sees it.

        Args:
            key: of a kind in `penchant.store.merges.MERGES`.
            operand: as the kind's own module encodes it.
            user: whose rows this transaction writes, because of which the operand is added; empty:
                nobody's.
        """
        ...

    def settle(self) -> None:
        """Applies all operands, of everybody, that were committed and are not applied yet.

        Engines on this machine have none.
        """
        ...


class Store(Protocol):
    """A storage engine."""

    durable: bool
    """Whether committed transactions survive the death of every process."""
    shared: bool
    """Whether servers on several machines may write at once, and transactions may conflict."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Begins a read, which is cheap and never waits for a writer; raises StoreUnavailable."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begins a write, which is committed at the end of the block.

        An exception in the block leaves the store unchanged. An engine on this machine lets one
        transaction run at a time across all processes; one over a network lets them run side by
        side, and raises WriteConflict at a read or at the end of the block.

        Raises:
            StoreUnavailable: the commit fails. Over a network it may have been written, in part or
                as a whole.
            WriteConflict: another writer was faster.
        """
        ...

    def usage(self) -> Usage:
        """The fill level."""
        ...

    def close(self) -> None:
        """Releases the engine; no call may follow."""
        ...
