"""The rows that a process read last, from which it goes on while its store is away."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import Snapshot

MOST_BYTES = 64 << 20
"""Bytes of keys and values that a process remembers: about 10,000 users with full windows."""

_ENTRY_BYTES = 120
"""Rough cost of an entry beside its key and value."""


class RememberedRows:
    """The last rows that were read, or found missing, up to a size; safe in threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._rows: OrderedDict[bytes, bytes | None] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def note(self, key: bytes, value: bytes | None) -> None:
        """Remembers a row as it was just read; forgets those read longest ago."""
        with self._lock:
            if key in self._rows:
                self._bytes -= _size(key, self._rows.pop(key))
            self._rows[key] = value
            self._bytes += _size(key, value)
            while self._bytes > self._most_bytes:
                self._bytes -= _size(*self._rows.popitem(last=False))

    def get(self, key: bytes) -> bytes | None:
        """A row as it was last read; None if it was missing, or is not remembered."""
        with self._lock:
            return self._rows.get(key)

    @property
    def used_bytes(self) -> int:
        """Bytes in use."""
        return self._bytes


class RememberedSnapshot:
    """A snapshot of what is remembered; see `Snapshot`. It knows no ranges."""

    def __init__(self, rows: RememberedRows) -> None:
        self._rows = rows

    def get(self, key: bytes) -> bytes | None:
        """The row as it was last read; None if it was missing, or is not remembered."""
        return self._rows.get(key)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Refused: raises StoreUnavailable."""
        raise StoreUnavailable(
            "store: it does not answer, and this call needs more than what the server remembers; "
            "send it again"
        )

    def fetch(self, keys: Iterable[bytes]) -> None:
        """Nothing to do."""

    def fetch_users(self, users: Iterable[str]) -> None:
        """Nothing to do."""


def is_remembered(snapshot: Snapshot) -> bool:
    """Whether a snapshot shows what is remembered, since the store is away."""
    return isinstance(snapshot, RememberedSnapshot)


def _size(key: bytes, value: bytes | None) -> int:
    return len(key) + len(value or b"") + _ENTRY_BYTES
