"""A store in the memory of one process, for tests: not durable, but under the same laws."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from penchant.store.base import Snapshot, Transaction, Usage
from penchant.store.merges import merged_row


class MemoryView:
    """One version of the data, which a transaction may change; see `Transaction`."""

    shared = False

    def __init__(self, data: dict[bytes, bytes]) -> None:
        self._data = data
        self._sorted: list[bytes] | None = None

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        return self._data.get(key)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.scan`."""
        if self._sorted is None:
            self._sorted = sorted(self._data)
        keys = self._sorted
        for position in range(bisect.bisect_left(keys, max(prefix, start)), len(keys)):
            if not keys[position].startswith(prefix):
                return
            yield keys[position], self._data[keys[position]]

    def fetch(self, keys: Iterable[bytes]) -> None:
        """Nothing to do: all is at hand."""

    def fetch_users(self, users: Iterable[str]) -> None:
        """Nothing to do: all is at hand."""

    def put(self, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        self._data[key] = bytes(value)
        self._sorted = None

    def delete(self, key: bytes) -> None:
        """See `Transaction.delete`."""
        self._data.pop(key, None)
        self._sorted = None

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        """See `Transaction.merge`; applied at once."""
        row = merged_row(key, self._data.get(key), operand)
        if row is None:
            self.delete(key)
        else:
            self.put(key, row)

    def settle(self) -> None:
        """Nothing to do: operands are applied at once."""


class MemoryStore:
    """A dictionary, copied by each transaction; see `penchant.store.base.Store`."""

    durable = False
    shared = False

    def __init__(self) -> None:
        self._data: dict[bytes, bytes] = {}
        self._writing = threading.RLock()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `Store.snapshot`."""
        yield MemoryView(self._data)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; copies the whole dictionary."""
        with self._writing:
            data = dict(self._data)
            yield MemoryView(data)
            self._data = data

    def usage(self) -> Usage:
        """See `Store.usage`."""
        used = sum(len(key) + len(value) for key, value in self._data.items())
        return Usage(used_bytes=used, map_bytes=0, entries=len(self._data))

    def close(self) -> None:
        """Forgets everything."""
        self._data = {}
