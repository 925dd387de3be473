"""What every store promises: bytes under ordered keys, snapshots and transactions.

The laws are in `tests/contracts/store_laws.py`, one suite for all engines. Whatever else Penchant
keeps is written in these terms by `users`, `items` and `counters`, with the keys of `keys` and the
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
    """How full a store is."""

    used_bytes: int
    map_bytes: int
    """What it can hold; 0: no limit of its own."""
    entries: int

    @property
    def fraction(self) -> float:
        """Used share of what it can hold, 0 to 1; 0 without a limit.

        >>> Usage(used_bytes=512, map_bytes=1024, entries=3).fraction
        0.5
        """
        return self.used_bytes / self.map_bytes if self.map_bytes else 0.0


class Snapshot(Protocol):
    """A consistent view: nothing committed after it began is seen."""

    def get(self, key: bytes) -> bytes | None:
        """The value under a key, or None."""
        ...

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, ascending, from `start` (inclusive) on."""
        ...


class Transaction(Snapshot, Protocol):
    """A snapshot that sees its own writes; all of them become visible at once, or none."""

    def put(self, key: bytes, value: bytes) -> None:
        """Sets the value under a key; raises StoreUnavailable where the store is full."""
        ...

    def delete(self, key: bytes) -> None:
        """Removes a key; nothing happens where it is absent."""
        ...


class Store(Protocol):
    """An engine."""

    durable: bool
    """Whether what a transaction committed survives the death of every process."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Begins a read; cheap, and never waits for a writer. Raises StoreUnavailable."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begins a write, one at a time over all processes; commits when the block ends well.

        An exception leaves the store as it was. Raises StoreUnavailable where the commit fails.
        """
        ...

    def usage(self) -> Usage:
        """How full the store is."""
        ...

    def close(self) -> None:
        """Releases the engine; further calls are errors."""
        ...
