"""A store that can go away: each call then waits, as for a time limit, and fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import Snapshot, Store, Transaction, Usage


class AbsentStore:
    """Another store, as long as it is not away; see `Store`."""

    def __init__(self, store: Store, timeout_s: float = 0.05) -> None:
        self.durable = store.durable
        self.shared = store.shared
        self.waited = 0
        """Calls that waited in vain."""
        self._store = store
        self._timeout_s = timeout_s
        self._away = threading.Event()

    def leave(self) -> None:
        """Answers nobody from now on."""
        self._away.set()

    def come_back(self) -> None:
        """Answers again."""
        self._away.clear()

    def answer(self) -> None:
        """Returns if the store is there; else waits, and raises StoreUnavailable."""
        if self._away.is_set():
            self.waited += 1
            time.sleep(self._timeout_s)
            raise StoreUnavailable("store: no answer in time", silent=True)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `Store.snapshot`; an absent store shows at the first read."""
        with self._store.snapshot() as snapshot:
            yield _AbsentSnapshot(snapshot, self)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`."""
        self.answer()
        with self._store.transaction() as transaction:
            yield transaction
            self.answer()

    def usage(self) -> Usage:
        """See `Store.usage`."""
        self.answer()
        return self._store.usage()

    def close(self) -> None:
        """See `Store.close`."""
        self._store.close()


class _AbsentSnapshot:
    def __init__(self, snapshot: Snapshot, store: AbsentStore) -> None:
        self._snapshot = snapshot
        self._store = store

    def get(self, key: bytes) -> bytes | None:
        self._store.answer()
        return self._snapshot.get(key)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        self._store.answer()
        return self._snapshot.scan(prefix, start)

    def fetch(self, keys: Iterable[bytes]) -> None:
        """Nothing to do."""

    def fetch_users(self, users: Iterable[str]) -> None:
        """Nothing to do."""
