"""The embedded store: LMDB, one file that many processes map.

Readers never wait. Writers take turns (`store.writer_lock`, then LMDB's own lock). A commit is
synced to disk before it returns, and a partial one is invisible, so that nothing needs repair after
a crash. What happens to the files under a running process is noticed before anything is
acknowledged: a file that was removed or replaced, a disk that failed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import DEFAULT_MAP_BYTES, Snapshot, Transaction, Usage
from penchant.store.lmdb_file import DATA, LOCK, check_whole, renumber
from penchant.store.writer_lock import NAME as WRITER_LOCK
from penchant.store.writer_lock import WriterLock
from penchant.system.durable_file import sync_directory
from penchant.system.file_lock import FileLock

RESERVED_FRACTION = 0.02
"""Share of the map kept back, so that deletions, and values that replace others of the same size,
still work when other writes are refused."""

MAX_READERS = 1024
_LOCK_BYTES = 1 << 17
"""More than LMDB's lock file needs for that many readers."""

IDENTITY_KEY = b"\xff" * 32
"""The key of the store's identity, behind all others; scans leave it out."""

_IDENTITY = struct.Struct("<16sQ")
_OPENING_S = 10.0
_DRAIN_S = 5.0
_LOOK_AGAIN_S = 1.0
_REPLACED = "was replaced under the running server by another file"
_REPAIR = "put the store's own files back, or restart the server to use those that are there"


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a store from another, and a compacted file from a copy of older days."""

    store: bytes
    compactions: int


@dataclass(slots=True)
class _Opened:
    """An environment of LMDB, and the file that it maps."""

    env: lmdb.Environment
    data: int
    """A descriptor of the data file, to see whether it still has a name."""
    identity: Identity | None
    """None for a store of an older release, until its first write."""
    look_again_s: float = 0.0
    """When to look again for a file in place of one that is gone."""


class _LmdbView:
    """A transaction of LMDB as a `Snapshot` and a `Transaction`."""

    def __init__(self, inner: lmdb.Transaction, refusal: str = "") -> None:
        self._inner = inner
        self._refusal = refusal
        self.freed = False
        """Whether something was deleted."""

    def get(self, key: bytes) -> bytes | None:
        value = self._inner.get(key)
        return None if value is None else bytes(value)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        hidden = IDENTITY_KEY.startswith(prefix)
        with self._inner.cursor() as cursor:
            if not cursor.set_range(max(prefix, start)):
                return
            for key, value in cursor:
                if not bytes(key).startswith(prefix):
                    return
                if hidden and bytes(key) == IDENTITY_KEY:
                    continue
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
        self.freed = self._inner.delete(key) or self.freed


class _Reading:
    """A snapshot from its beginning to its end. A class, since a generator takes longer."""

    __slots__ = ("_inner", "_store")

    def __init__(self, store: LmdbStore) -> None:
        self._store = store

    def __enter__(self) -> Snapshot:
        self._inner = self._store.begin_read()
        return _LmdbView(self._inner)

    def __exit__(self, *error: object) -> None:
        self._inner.abort()
        self._store.end()


class LmdbStore:
    """See `penchant.store.base.Store`. Open it once per process, and not before a fork."""

    durable = True

    def __init__(self, directory: Path, *, map_bytes: int = DEFAULT_MAP_BYTES) -> None:
        """Opens or creates the store in a directory; its files are for this user alone.

        Args:
            directory: created if missing.
            map_bytes: size limit; reserves address space, not disk. 0: as its writer set it.

        Raises:
            StoreUnavailable: the directory cannot be created, opened or mapped, or its data file is
                empty, truncated or gone.
        """
        self._directory = directory
        self._map_bytes = map_bytes
        self._gate = threading.Lock()
        self._in_use: deque[None] = deque()
        """One entry per transaction under way in this process."""
        self._opened: _Opened | None = self._open()
        try:
            self._writer = WriterLock(directory)
        except OSError as error:
            self._shut(self._opened)
            raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """See `Store.snapshot`; about 4 microseconds."""
        return _Reading(self)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; the commit is synced to disk."""
        with self._writer.held():
            opened, inner = self._begin(write=True)
            try:
                with inner:
                    full = _usage(opened).fraction > 1 - RESERVED_FRACTION
                    identity = opened.identity or Identity(secrets.token_bytes(16), 0)
                    if opened.identity is None:
                        _write_identity(inner, identity)
                    view = _LmdbView(inner, _full_text(opened) if full else "")
                    yield view
                opened.identity = identity
                if view.freed and _is_at_its_limit(opened):
                    _make_free_pages_usable(opened)
            except lmdb.MapFullError as error:
                _make_free_pages_usable(opened)
                raise StoreUnavailable(_full_text(opened)) from error
            except lmdb.Error as error:
                raise StoreUnavailable(f"store: the write failed: {_what(error)}") from error
            finally:
                self._in_use.pop()

    def usage(self) -> Usage:
        """See `Store.usage`; free pages of the file count as free."""
        opened, inner = self._begin(write=False)
        try:
            with inner:
                return _usage(opened)
        finally:
            self._in_use.pop()

    def close(self) -> None:
        """Unmaps the file."""
        with self._gate:
            if self._opened is not None:
                self._shut(self._opened)
                self._opened = None
                self._writer.close()

    def copy(self, target: Path) -> None:
        """Writes a compacted copy of the store as of now to a new file; writers need not wait.

        Raises:
            StoreUnavailable: the copy can't be written; nothing is left of it.
        """
        opened, inner = self._begin(write=False)
        try:
            with inner:
                _copy(opened.env, target)
        finally:
            self._in_use.pop()

    def compact(self) -> None:
        """Rewrites the file without its free pages, which gives their space back to the disk.

        Readers go on meanwhile; writers wait their turn. Every process that has the store open
        moves to the new file at its next transaction, and the old one goes with the last of them.

        Raises:
            StoreUnavailable: the copy can't be written; the store is as it was.
        """
        copy = self._directory / f".{DATA}.compacted"
        copy.unlink(missing_ok=True)
        with self._writer.held():
            opened, inner = self._begin(write=True)
            try:
                last = opened.identity or Identity(secrets.token_bytes(16), 0)
                with inner:
                    _write_identity(inner, Identity(last.store, last.compactions + 1))
                _copy(opened.env, copy)
                with copy.open("r+b") as file:
                    renumber(file.fileno(), int(opened.env.info()["last_txnid"]))
                    os.fsync(file.fileno())
                check_whole(copy)
                copy.replace(self._directory / DATA)
                sync_directory(self._directory)
            except (lmdb.Error, OSError) as error:
                raise StoreUnavailable(f"store: can't compact: {_what(error)}") from error
            finally:
                self._in_use.pop()
                copy.unlink(missing_ok=True)

    def begin_read(self) -> lmdb.Transaction:
        """Begins a read, for `snapshot`; `end` must follow."""
        self._in_use.append(None)  # Before the look at `_opened`: see `_reopen`.
        opened = self._opened
        try:
            if opened is not None and (os.fstat(opened.data).st_nlink or self._stays(opened)):
                return opened.env.begin()
        except (lmdb.Error, StoreUnavailable):
            pass  # What is wrong is found, and mended or said, below.
        self._in_use.pop()
        return self._begin(write=False)[1]

    def end(self) -> None:
        """Ends the count of a transaction that `begin_read` began."""
        self._in_use.pop()

    def _begin(self, *, write: bool) -> tuple[_Opened, lmdb.Transaction]:
        """Begins a transaction, counted in `_in_use`; the caller takes it out at its end.

        Opens the environment again where the file was compacted meanwhile, and where a failed
        write of a meta page has left LMDB's environment unusable, though not the file.
        """
        for _ in range(2):
            self._in_use.append(None)
            opened = self._opened
            try:
                if opened is not None:
                    stays = self._is_in_place(opened) if write else self._stays(opened)
                    if stays:
                        return opened, opened.env.begin(write=write)
            except (lmdb.PanicError, lmdb.MapResizedError):
                pass
            except lmdb.ReadersFullError:
                self._in_use.pop()
                if opened is not None and opened.env.reader_check():
                    continue  # Killed readers had left their slots taken.
                raise StoreUnavailable(
                    f"store: {MAX_READERS} reads are under way; send the call again"
                ) from None
            except lmdb.Error as error:
                self._in_use.pop()
                raise StoreUnavailable(f"store: can't begin: {_what(error)}") from error
            except BaseException:
                self._in_use.pop()
                raise
            self._in_use.pop()
            self._reopen(opened)
        raise StoreUnavailable("store: its files were opened again, in vain; send the call again")

    def _stays(self, opened: _Opened) -> bool:
        """Whether reads go on in the mapped file: unless a compacted one has taken its place."""
        if os.fstat(opened.data).st_nlink or time.monotonic() < opened.look_again_s:
            return True
        try:
            self._require_successor(opened)
        except StoreUnavailable:
            # What is mapped can still be read. Writers refuse, and say why.
            opened.look_again_s = time.monotonic() + _LOOK_AGAIN_S
            return True
        return False

    def _is_in_place(self, opened: _Opened) -> bool:
        """Whether writes go to the mapped file: unless a compacted one has taken its place.

        Raises:
            StoreUnavailable: the files are gone, or another store's.
        """
        try:
            same = os.path.samestat(os.fstat(opened.data), (self._directory / DATA).stat())
            (self._directory / LOCK).stat()
        except OSError as error:
            raise StoreUnavailable(_gone_text(Path(error.filename or DATA).name)) from error
        if not same:
            self._require_successor(opened)
        return same

    def _require_successor(self, opened: _Opened) -> None:
        """Makes sure that the file in place of the mapped one is the same store, compacted."""
        path = self._directory / DATA
        try:
            check_whole(path)
            found = _read_identity(path)
        except FileNotFoundError as error:
            raise StoreUnavailable(_gone_text(DATA)) from error
        except (lmdb.Error, OSError) as error:
            raise StoreUnavailable(f"store: {DATA} {_REPLACED}: {_what(error)}") from error
        mine = opened.identity
        if found is None or mine is None or found.store != mine.store:
            raise StoreUnavailable(
                f"store: {DATA} {_REPLACED}, of another store; nothing was written: {_REPAIR}"
            )
        if found.compactions <= mine.compactions:
            raise StoreUnavailable(
                f"store: {DATA} {_REPLACED}, a copy of this store; nothing was written: {_REPAIR}"
            )

    def _reopen(self, seen: _Opened | None) -> None:
        """Opens the environment again in place of the one that was seen.

        One process may have LMDB's files open only once, so all its readers end first.

        Raises:
            StoreUnavailable: they do not end, or the files can't be opened.
        """
        with self._gate:
            if self._opened is not seen:
                return  # Another thread was faster.
            if seen is not None:
                self._opened = None  # New readers wait at the gate.
                deadline = time.monotonic() + _DRAIN_S
                while self._in_use and time.monotonic() < deadline:
                    time.sleep(0.0005)
                if self._in_use:
                    self._opened = seen
                    raise StoreUnavailable(
                        f"store: its files must be opened again, but a read has been under way for "
                        f"{_DRAIN_S:g} s; send the call again"
                    )
                self._shut(seen)
            self._opened = self._open()

    def _open(self) -> _Opened:
        directory = self._directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            turn = FileLock(directory / "opening.lock")
            try:
                if not turn.acquire(_OPENING_S):
                    raise StoreUnavailable(
                        f"store: can't open LMDB in {directory}: another process has been opening "
                        f"it for {_OPENING_S:g} s; if it is stopped, let it go on or end it"
                    )
                self._prepare()
                return self._map()
            finally:
                turn.close()
        except (lmdb.Error, OSError) as error:
            raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error

    def _prepare(self) -> None:
        """Makes a new store's data file, or looks at that of an old one; allocates the lock file.

        LMDB maps its lock file for writing; on a full disk, a page of it that is not allocated yet
        would kill the process.
        """
        data, lock = self._directory / DATA, self._directory / LOCK
        if data.exists():
            check_whole(data)
        elif (self._directory / WRITER_LOCK).exists():
            raise StoreUnavailable(
                f"store: {DATA} is gone from {self._directory}, where a store was; restore a "
                "backup, or move the directory away to begin an empty store"
            )
        else:
            self._make(data)
        size = lock.stat().st_size if lock.exists() else 0
        if not size or lock.stat().st_blocks * 512 < size:
            # Only now: to close the file would end the locks that this process has on it.
            fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, size or _LOCK_BYTES)
            finally:
                os.close(fd)
        for path in (data, lock):
            if path.stat().st_mode & 0o077:
                with contextlib.suppress(PermissionError):  # Another user's, who decides.
                    path.chmod(0o600)

    def _make(self, data: Path) -> None:
        """Makes an empty store's file, which appears under its name complete."""
        made = data.with_name(f".{DATA}.new")
        made.unlink(missing_ok=True)
        env = lmdb.open(os.fspath(made), subdir=False, lock=False, mode=0o600, map_size=1 << 20)
        try:
            with env.begin(write=True) as inner:
                _write_identity(inner, Identity(secrets.token_bytes(16), 0))
        finally:
            env.close()
        made.replace(data)
        sync_directory(data.parent)

    def _map(self) -> _Opened:
        env = lmdb.open(
            os.fspath(self._directory),
            map_size=self._map_bytes,
            max_readers=MAX_READERS,
            readahead=False,
            mode=0o600,
        )
        try:
            # The slots of killed readers would keep old pages from being reused.
            env.reader_check()
            with env.begin() as inner:
                identity = _decode_identity(inner.get(IDENTITY_KEY))
            data = os.open(self._directory / DATA, os.O_RDONLY | os.O_CLOEXEC)
        except BaseException:
            env.close()
            raise
        return _Opened(env, data, identity)

    def _shut(self, opened: _Opened) -> None:
        opened.env.close()
        os.close(opened.data)


def _usage(opened: _Opened) -> Usage:
    info, stat = opened.env.info(), opened.env.stat()
    pages, page_bytes = int(info["last_pgno"]) + 1, int(stat["psize"])
    used = 2 + int(stat["branch_pages"]) + int(stat["leaf_pages"]) + int(stat["overflow_pages"])
    used += -(-max(0, pages - used) * 8 // page_bytes)  # The list of the free pages.
    return Usage(
        used_bytes=min(used, pages) * page_bytes,
        map_bytes=int(info["map_size"]),
        entries=int(stat["entries"]) - (opened.identity is not None),
    )


def _is_at_its_limit(opened: _Opened) -> bool:
    """Whether the file has grown so far that new values need its free pages."""
    info, stat = opened.env.info(), opened.env.stat()
    reserved = RESERVED_FRACTION * int(info["map_size"])
    return (int(info["last_pgno"]) + 1) * int(stat["psize"]) > int(info["map_size"]) - reserved


def _make_free_pages_usable(opened: _Opened) -> None:
    """Commits once more: LMDB uses a page again two commits after the one that freed it.

    Without it, a full store that has just forgotten users would refuse the next write, and every
    later one, since refused writes do not count as commits.
    """
    if opened.identity is None:
        return
    opened.env.reader_check()  # A killed reader would keep them from being used.
    with contextlib.suppress(lmdb.Error), opened.env.begin(write=True) as inner:
        _write_identity(inner, opened.identity)


def _copy(env: lmdb.Environment, target: Path) -> None:
    try:
        fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            env.copyfd(fd, compact=True)
            os.fsync(fd)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
    except (lmdb.Error, OSError) as error:
        raise StoreUnavailable(f"store: can't write the copy: {_what(error)}") from error


def _full_text(opened: _Opened) -> str:
    gibibytes = int(opened.env.info()["map_size"]) / 2**30
    return (
        f"store: full: its map of {gibibytes:.3g} GiB is used up; raise store_map_bytes, or forget "
        "users and run `penchant compact`"
    )


def _gone_text(name: str) -> str:
    return (
        f"store: got no {name}, which was removed or moved away under the running server; nothing "
        f"was written: {_REPAIR}"
    )


def _write_identity(inner: lmdb.Transaction, identity: Identity) -> None:
    inner.put(IDENTITY_KEY, _IDENTITY.pack(identity.store, identity.compactions))


def _decode_identity(value: bytes | memoryview | None) -> Identity | None:
    return None if value is None else Identity(*_IDENTITY.unpack(value))


def _read_identity(path: Path) -> Identity | None:
    """The identity in a data file that this process has not opened."""
    env = lmdb.open(
        os.fspath(path), subdir=False, lock=False, readonly=True, create=False, map_size=0
    )
    try:
        with env.begin() as inner:
            return _decode_identity(inner.get(IDENTITY_KEY))
    finally:
        env.close()


def _what(error: Exception) -> str:
    """The text of an error without paths, which are none of a client's business."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rpartition("/")[2] if "/" in str(error) else str(error)
