"""A store over a network as a server's process uses it: one that may be away for a while.

The first call that the store does not answer waits for its time limit. From then on the store
counts as away: calls are refused at once, or, where the process may, answered from the rows that it
read last. A thread asks the store again and again, and the first answer ends it.

A store that refuses is not away: it has answered. Nor is one of several servers of which one gives
no answer, as long as the one with the catalog does: others' rows are read and written as before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import Snapshot, Store, Transaction, Usage
from penchant.store.keys import Kind, encode
from penchant.store.remembered_rows import RememberedRows, RememberedSnapshot

log = logging.getLogger("penchant")

ASK_EVERY_S = 0.1
"""Seconds between two questions to a store that is away; each may also wait for its time limit."""

_Result = TypeVar("_Result")


class GuardedStore:
    """A store, and whether it is away; see `Store`. Safe in threads."""

    def __init__(self, store: Store, remembered: RememberedRows | None = None) -> None:
        """Guards a store.

        Args:
            store: the engine.
            remembered: receives the rows that are read, and stands in for a store that is away;
                None: calls are refused meanwhile.
        """
        self._store = store
        self._remembered = remembered
        self._away = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self.durable = store.durable
        self.shared = store.shared

    @property
    def away(self) -> bool:
        """Whether the store did not answer the last call."""
        return self._away.is_set()

    @contextmanager
    def last_good(self) -> Iterator[Snapshot]:
        """A snapshot of what is remembered; raises StoreUnavailable if nothing ever is."""
        if self._remembered is None:
            raise refusal()
        yield RememberedSnapshot(self._remembered)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `Store.snapshot`; while the store is away, one of what is remembered."""
        if self._away.is_set():
            with self.last_good() as snapshot:
                yield snapshot
            return
        began = False
        try:
            with self._store.snapshot() as snapshot:
                began = True
                yield _GuardedSnapshot(snapshot, self, self._remembered)
        except StoreUnavailable as error:
            if not began:
                self.failed(error)
            raise

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; refused at once while the store is away."""
        if self._away.is_set():
            raise refusal()
        began = ended = False
        try:
            with self._store.transaction() as transaction:
                began = True
                yield _GuardedTransaction(transaction, self)
                ended = True
        except StoreUnavailable as error:
            if ended or not began:  # Else the body failed, for a reason of its own.
                self.failed(error)
            raise

    def usage(self) -> Usage:
        """See `Store.usage`."""
        if self._away.is_set():
            raise refusal()
        return self.noticing(self._store.usage)

    def close(self) -> None:
        """See `Store.close`."""
        self._closing.set()
        self._store.close()

    def noticing(self, call: Callable[..., _Result], *arguments: Any) -> _Result:
        """Calls the engine, and notices if it is away."""
        try:
            return call(*arguments)
        except StoreUnavailable as error:
            self.failed(error)
            raise

    def failed(self, error: StoreUnavailable) -> None:
        """Notes a failure; if nothing answers, the store is away, and a thread waits for it."""
        if not error.silent or self._away.is_set() or self._closing.is_set() or self._answers():
            return
        with self._lock:
            if self._away.is_set() or self._closing.is_set():
                return
            self._away.set()
            log.warning("the store does not answer; it is asked again until it does")
            threading.Thread(target=self._ask, name="penchant-store", daemon=True).start()

    def _ask(self) -> None:
        began_s = time.monotonic()
        while not self._closing.is_set():
            if self._answers():
                with self._lock:
                    self._away.clear()
                log.warning("the store answers again, after %.1f s", time.monotonic() - began_s)
                return
            self._closing.wait(ASK_EVERY_S)

    def _answers(self) -> bool:
        """Whether the catalog's head can be read, or at least a server says why not."""
        try:
            with self._store.snapshot() as snapshot:
                snapshot.get(encode(Kind.HEAD))
        except StoreUnavailable as error:
            return not error.silent
        except Exception:  # A thread that ends would leave the store away for good.
            log.exception("the store could not be asked")
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        """What this engine has beside the protocol."""
        return getattr(self._store, name)


class _GuardedSnapshot:
    """A snapshot that notices when the store is gone, and remembers what it reads."""

    __slots__ = ("_guard", "_remembered", "_snapshot")

    def __init__(
        self, snapshot: Snapshot, guard: GuardedStore, remembered: RememberedRows | None
    ) -> None:
        self._snapshot = snapshot
        self._guard = guard
        self._remembered = remembered

    def get(self, key: bytes) -> bytes | None:
        try:
            value = self._snapshot.get(key)
        except StoreUnavailable as error:
            self._guard.failed(error)
            raise
        if self._remembered is not None:
            self._remembered.note(key, value)
        return value

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        try:
            yield from self._snapshot.scan(prefix, start)
        except StoreUnavailable as error:
            self._guard.failed(error)
            raise

    def fetch(self, keys: Iterable[bytes]) -> None:
        self._guard.noticing(self._snapshot.fetch, keys)

    def fetch_users(self, users: Iterable[str]) -> None:
        self._guard.noticing(self._snapshot.fetch_users, users)


class _GuardedTransaction(_GuardedSnapshot):
    """A transaction that notices when the store is gone."""

    __slots__ = ("_transaction", "shared")

    def __init__(self, transaction: Transaction, guard: GuardedStore) -> None:
        super().__init__(transaction, guard, None)
        self._transaction = transaction
        self.shared = transaction.shared

    def put(self, key: bytes, value: bytes) -> None:
        self._guard.noticing(self._transaction.put, key, value)

    def delete(self, key: bytes) -> None:
        self._guard.noticing(self._transaction.delete, key)

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        try:
            self._transaction.merge(key, operand, user=user)
        except StoreUnavailable as error:
            self._guard.failed(error)
            raise

    def settle(self) -> None:
        self._guard.noticing(self._transaction.settle)


def refusal() -> StoreUnavailable:
    """The refusal of a call while the store is away."""
    return StoreUnavailable(
        "store: it does not answer, and nothing was read or written; send the call again in a "
        "moment"
    )
