"""The protocol of a store: bytes under ordered keys, snapshots and transactions.

`tests/contracts/store_laws.py` holds the laws, one suite for all engines. The other modules of this
package write everything that Penchant keeps in these terms, with the keys of `keys` and the
encodings of `codec`.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class Snapshot(Protocol):
    """A consistent view of the store as of its beginning."""

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None."""
        ...

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """The keys that have a prefix, and their values, in ascending order from `start` on."""
        ...


class Transaction(Snapshot, Protocol):
    """A snapshot that sees its own writes, which become visible to others all at once."""

    def put(self, key: bytes, value: bytes) -> None:
        """Sets the value of a key; raises StoreUnavailable if the store is full.

        A full store still takes a value that is no longer than the one it replaces.
        """
        ...

    def delete(self, key: bytes) -> None:
        """Removes a key, if it is there."""
        ...


class Store(Protocol):
    """A storage engine."""

    durable: bool
    """Whether committed transactions survive the death of every process."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Begins a read, which is cheap and never waits for a writer; raises StoreUnavailable."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begins a write, one at a time across all processes, and commits at the end of the block.

        An exception in the block leaves the store unchanged. Raises StoreUnavailable if the commit
        fails.
        """
        ...

    def usage(self) -> Usage:
        """The fill level."""
        ...

    def close(self) -> None:
        """Releases the engine; no call may follow."""
        ...
