"""A transaction of LMDB as the protocol of a store has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import lmdb

from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.store.commit_journal import Write
from penchant.store.lmdb_environment import IDENTITY_KEY, plain_text
from penchant.store.lmdb_file import DATA
from penchant.store.merges import merged_row

DAMAGE = (lmdb.CorruptedError, lmdb.PageNotFoundError)


class LmdbSnapshot:
    """A transaction of LMDB as a `Snapshot`."""

    shared = False
    inner: lmdb.Transaction

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        try:
            value = self.inner.get(key)
        except DAMAGE as error:
            raise damaged(error) from error
        return None if value is None else bytes(value)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.scan`."""
        hidden = IDENTITY_KEY.startswith(prefix)
        try:
            with self.inner.cursor() as cursor:
                if not cursor.set_range(max(prefix, start)):
                    return
                for key, value in cursor:
                    if not bytes(key).startswith(prefix):
                        return
                    if hidden and bytes(key) == IDENTITY_KEY:
                        continue
                    yield bytes(key), bytes(value)
        except DAMAGE as error:
            raise damaged(error) from error

    def fetch(self, keys: Iterable[bytes]) -> None:
        """Nothing to do: the file is mapped."""

    def fetch_users(self, users: Iterable[str]) -> None:
        """Nothing to do: the file is mapped."""


class LmdbView(LmdbSnapshot):
    """A transaction of LMDB as a `Snapshot` and a `Transaction`."""

    def __init__(
        self,
        inner: lmdb.Transaction,
        begin_again: Callable[[lmdb.Transaction], lmdb.Transaction | None] | None = None,
    ) -> None:
        """Takes a transaction over.

        Args:
            inner: the transaction.
            begin_again: ends it and begins another, in which there is more room; None if there is
                not. Reads that are under way end with an error.
        """
        self.inner = inner
        self._begin_again = begin_again
        self.refusal = ""
        """Why nothing but what fits in place is written; empty: all is."""
        self.freed = False
        """Whether something was deleted."""
        self.writes: list[Write] = []
        """What was written, in order."""

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        """See `Transaction.merge`."""
        row = merged_row(key, self.get(key), operand)
        if row is None:
            self.delete(key)
        else:
            self.put(key, row)

    def put(self, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        if self.refusal and not self._fits_in_place(key, value):
            raise StoreUnavailable(self.refusal)
        self.write((key, value))

    def write(self, row: tuple[bytes, bytes]) -> None:
        """Writes a row, however full the store is."""
        try:
            self.inner.put(*row)
        except lmdb.MapFullError:
            if not self.begin_again():
                raise
            self.inner.put(*row)
        self.writes.append(row)

    def begin_again(self) -> bool:
        """Writes all that was written in another transaction of LMDB; False if that is no help."""
        again = None if self._begin_again is None else self._begin_again(self.inner)
        if again is None:
            return False
        self.inner = again
        for key, value in self.writes:
            if value is None:
                again.delete(key)
            else:
                again.put(key, value)
        return True

    def _fits_in_place(self, key: bytes, value: bytes) -> bool:
        """Forgetting a user takes the user out of counters and budgets that are there."""
        old = self.inner.get(key)
        return old is not None and len(value) <= len(old)

    def delete(self, key: bytes) -> None:
        """See `Transaction.delete`."""
        try:
            found = self.inner.delete(key)
        except lmdb.MapFullError:
            if not self.begin_again():
                raise
            found = self.inner.delete(key)
        if found:
            self.freed = True
            self.writes.append((key, None))

    def settle(self) -> None:
        """Nothing to do: operands are applied at once."""


def damaged(error: lmdb.Error) -> StateCorrupt:
    """A page of the file is not as LMDB wrote it; rows on other pages can still be read."""
    return StateCorrupt(
        f"store: a page of {DATA} is damaged ({plain_text(error)}); stop the server and restore a "
        "backup"
    )
