"""The embedded store: LMDB, one file that many processes map.

Readers never wait. Writers take turns under LMDB's own lock. A commit is synced to disk before it
returns, and a partial one is invisible, so that nothing needs repair after a crash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import DEFAULT_MAP_BYTES, Snapshot, Transaction, Usage

RESERVED_FRACTION = 0.02
"""Share of the map kept back, so that deletions, and values that replace others of the same size,
still work when other writes are refused."""


class _LmdbView:
    """A transaction of LMDB as a `Snapshot` and a `Transaction`."""

    def __init__(self, inner: lmdb.Transaction, refusal: str = "") -> None:
        self._inner = inner
        self._refusal = refusal

    def get(self, key: bytes) -> bytes | None:
        value = self._inner.get(key)
        return None if value is None else bytes(value)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        with self._inner.cursor() as cursor:
            if not cursor.set_range(max(prefix, start)):
                return
            for key, value in cursor:
                if not bytes(key).startswith(prefix):
                    return
                yield bytes(key), bytes(value)

    def put(self, key: bytes, value: bytes) -> None:
        if self._refusal and not self._fits_in_place(key, value):
            raise StoreUnavailable(self._refusal)
        self._inner.put(key, value)

    def _fits_in_place(self, key: bytes, value: bytes) -> bool:
        """Forgetting a user takes the user out of counters and budgets that are there."""
        old = self._inner.get(key)
        return old is not None and len(value) <= len(old)

    def delete(self, key: bytes) -> None:
        self._inner.delete(key)


class LmdbStore:
    """See `penchant.store.base.Store`. Open it once per process, and not before a fork."""

    durable = True

    def __init__(self, directory: Path, *, map_bytes: int = DEFAULT_MAP_BYTES) -> None:
        """Opens or creates the store in a directory.

        Args:
            directory: created if missing.
            map_bytes: size limit; reserves address space, not disk. 0: as its writer set it.

        Raises:
            StoreUnavailable: the directory cannot be created, opened or mapped.
        """
        self._map_bytes = map_bytes
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._env = lmdb.open(
                os.fspath(directory), map_size=map_bytes, max_readers=1024, readahead=False
            )
            # The slots of killed readers would keep old pages from being reused.
            self._env.reader_check()
        except (lmdb.Error, OSError) as error:
            raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `Store.snapshot`; about 3 microseconds."""
        try:
            inner = self._env.begin(buffers=False)
        except lmdb.Error as error:
            raise StoreUnavailable(f"store: can't begin a read: {error}") from error
        with inner:
            yield _LmdbView(inner)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; the commit is synced to disk."""
        full = self.usage().fraction > 1 - RESERVED_FRACTION
        try:
            with self._env.begin(write=True) as inner:
                yield _LmdbView(inner, self._full_text() if full else "")
        except lmdb.MapFullError as error:
            raise StoreUnavailable(self._full_text()) from error
        except lmdb.Error as error:
            raise StoreUnavailable(f"store: the write failed: {error}") from error

    def usage(self) -> Usage:
        """See `Store.usage`; free pages in the file count as used until LMDB reuses them."""
        info, stat = self._env.info(), self._env.stat()
        used = (int(info["last_pgno"]) + 1) * int(stat["psize"])
        return Usage(used_bytes=used, map_bytes=int(info["map_size"]), entries=int(stat["entries"]))

    def close(self) -> None:
        """Unmaps the file."""
        self._env.close()

    def _full_text(self) -> str:
        gibibytes = self._map_bytes / 2**30
        return f"store: full: its map of {gibibytes:.3g} GiB is used up; raise store_map_bytes"
