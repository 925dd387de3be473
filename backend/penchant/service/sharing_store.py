"""The store of a process that changes the catalog, where servers share one over a network.

Each snapshot and transaction begins with the catalog's files whole here. A transaction that
switches a head sends the files that it names before it is committed, so that no server ever finds a
head whose files are nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penchant.domain.types import CatalogHead
from penchant.service.catalog_share import CatalogShare, catalogs_in
from penchant.store.base import Snapshot, Store, Transaction, Usage
from penchant.store.keys import Kind, encode

HEADS = frozenset({encode(Kind.HEAD), encode(Kind.ROLLOUT)})


class SharingStore:
    """A store, with the files of its catalogs; see `Store`."""

    def __init__(self, store: Store, share: CatalogShare) -> None:
        self._store = store
        self._share = share
        self.durable = store.durable
        self.shared = store.shared

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `Store.snapshot`; the files that it names are fetched first."""
        with self._store.snapshot() as snapshot:
            self._share.complete(snapshot)
            yield snapshot

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; the files are this process's alone to write meanwhile."""
        with self._share.turn():
            with self._store.transaction() as transaction:
                self._share.complete(transaction)
                sharing = SharingTransaction(transaction, self._share)
                yield sharing
                sent = sharing.send()
            for place, head in sent:
                self._share.has_whole(place, head)

    def usage(self) -> Usage:
        """See `Store.usage`."""
        return self._store.usage()

    def close(self) -> None:
        """See `Store.close`."""
        self._store.close()

    def __getattr__(self, name: str) -> Any:
        """What this engine has beside the protocol."""
        return getattr(self._store, name)


class SharingTransaction:
    """A transaction that notices when it switches a head; see `Transaction`."""

    def __init__(self, transaction: Transaction, share: CatalogShare) -> None:
        self._transaction = transaction
        self._share = share
        self._before: dict[str, CatalogHead] | None = None
        self.shared = transaction.shared

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        return self._transaction.get(key)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.scan`."""
        return self._transaction.scan(prefix, start)

    def fetch(self, keys: Iterable[bytes]) -> None:
        """See `Snapshot.fetch`."""
        self._transaction.fetch(keys)

    def fetch_users(self, users: Iterable[str]) -> None:
        """See `Snapshot.fetch_users`."""
        self._transaction.fetch_users(users)

    def put(self, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        if key in HEADS and self._before is None:
            found = catalogs_in(self._transaction, self._share.directory)
            self._before = {catalog: head for catalog, _, head in found}
        self._transaction.put(key, value)

    def delete(self, key: bytes) -> None:
        """See `Transaction.delete`."""
        self._transaction.delete(key)

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        """See `Transaction.merge`."""
        self._transaction.merge(key, operand, user=user)

    def settle(self) -> None:
        """See `Transaction.settle`."""
        self._transaction.settle()

    def send(self) -> list[tuple[Path, CatalogHead]]:
        """Sends the files of the heads that were switched; returns those heads' directories."""
        if self._before is None:
            return []
        sent = []
        for catalog, place, head in catalogs_in(self._transaction, self._share.directory):
            before = self._before.get(catalog, CatalogHead())
            self._share.send(before, head, place, catalog)
            sent.append((place, head))
        return sent
