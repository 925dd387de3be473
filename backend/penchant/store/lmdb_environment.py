"""An environment of LMDB: opened or made, measured, copied, and told from another store's."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

import lmdb

from penchant.domain.errors import StoreUnavailable
from penchant.store import keys
from penchant.store.base import Usage
from penchant.store.commit_journal import HEAD, CommitJournal
from penchant.store.lmdb_file import DATA, LOCK, check_whole
from penchant.store.lmdb_recovery import put_checkpoint_back, write_again
from penchant.store.writer_lock import NAME as WRITER_LOCK
from penchant.system.durable_file import sync_directory
from penchant.system.file_lock import FileLock

MAX_READERS = 1024
_LOCK_BYTES = 1 << 17
"""More than LMDB's lock file needs for that many readers."""

RESERVED_FRACTION = 0.02
"""Share of the map kept back, so that deletions, and values that replace others of the same size,
still work when other writes are refused."""

IDENTITY_KEY = b"\xff" * 32
"""The key of the store's identity, behind all others; scans leave it out."""

_IDENTITY = struct.Struct("<16sQ")
_OPENING_S = 10.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a store from another, and a compacted file from a copy of older days."""

    store: bytes
    compactions: int


@dataclass(slots=True)
class OpenedEnvironment:
    """An environment of LMDB, and the file that it maps."""

    env: lmdb.Environment
    data: int
    """A descriptor of the data file, to see whether it still has a name."""
    identity: Identity | None
    """None for a store of an older release, until its first write."""
    size: int
    """Largest size of the file so far, in bytes: LMDB never makes it shorter."""
    look_again_s: float = 0.0
    """When to look again for a file in place of one that is gone."""

    def close(self) -> None:
        """Unmaps the file; no transaction may be under way."""
        self.env.close()
        os.close(self.data)


def check_directory(directory: Path) -> None:
    """Refuses a directory whose data file is no store's, before anything is written there.

    Where a journal lies beside it, it is a store's, and may need that journal to be whole.

    Raises:
        StoreUnavailable: the text says what the file is.
    """
    data = directory / DATA
    try:
        if (directory / HEAD).exists():
            return
        if not data.exists():
            try:
                _refuse_lost_data(directory)
            except StoreUnavailable:
                if not (directory / HEAD).exists():  # Else another process has just made it all.
                    raise
            return
        check_whole(data)
        if not os.access(data, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(data))
        read_identity(data)
    except (lmdb.Error, OSError) as error:
        raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error


def open_journal(directory: Path) -> CommitJournal:
    """Opens or creates the journal of a directory, which is created if missing.

    Raises:
        StoreUnavailable: the text says why not.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return CommitJournal(directory)
    except OSError as error:
        raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error


def open_environment(
    directory: Path, map_bytes: int, journal: CommitJournal, *, again: bool = False
) -> OpenedEnvironment:
    """Opens or creates the environment of a directory; its files are for this user alone.

    The first process to do so reads the journal, and writes again what a power cut may have taken.

    Args:
        directory: there already.
        map_bytes: see `LmdbStore`.
        journal: of that directory.
        again: whether this process had the store open until now, so that the data file is as its
            processes wrote it.

    Raises:
        StoreUnavailable: see `LmdbStore`.
        StateCorrupt: the journal is damaged.
    """
    try:
        turn = FileLock(directory / "opening.lock")
        try:
            if not turn.acquire(_OPENING_S):
                raise StoreUnavailable(
                    f"store: can't open LMDB in {directory}: another process has been opening "
                    f"it for {_OPENING_S:g} s; if it is stopped, let it go on or end it"
                )
            try:
                first = not again and journal.enter()
                entries = put_checkpoint_back(directory, journal) if first else []
                _prepare(directory)
                opened = _map(directory, map_bytes)
                try:
                    write_again(opened.env, opened.data, journal, entries)
                except BaseException:
                    opened.close()
                    raise
            except BaseException:
                if not again:
                    journal.leave()
                raise
            journal.stay()
            return opened
        finally:
            turn.close()
    except lmdb.MemoryError as error:
        raise StoreUnavailable(
            f"store: can't open LMDB in {directory}: {plain_text(error)} for its map; raise the "
            "limit on address space (ulimit -v), or serve it with a smaller store_map_bytes"
        ) from error
    except lmdb.LockError as error:
        # LMDB locks a byte of its lock file by each reader's process id.
        raise StoreUnavailable(
            f"store: can't open LMDB in {directory}: another process reads it under the same id, "
            f"{os.getpid()}, in another container or PID namespace; start this one in the same "
            "namespace (shareProcessNamespace, --pid=container:NAME), or again under another id"
        ) from error
    except (lmdb.Error, OSError) as error:
        raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error


def _prepare(directory: Path) -> None:
    """Makes a new store's data file, or looks at that of an old one; allocates the lock file.

    LMDB maps its lock file for writing; on a full disk, a page of it that is not allocated yet
    would kill the process.
    """
    data, lock = directory / DATA, directory / LOCK
    if data.exists():
        check_whole(data)
    else:
        _refuse_lost_data(directory)
        _make(data)
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


def _refuse_lost_data(directory: Path) -> None:
    """Raises StoreUnavailable if a store was in a directory that has no data file."""
    if (directory / WRITER_LOCK).exists():
        raise StoreUnavailable(
            f"store: {DATA} is gone from {directory}, where a store was; restore a "
            "backup, or move the directory away to begin an empty store"
        )


def _make(data: Path) -> None:
    """Makes an empty store's file, which appears under its name complete."""
    made = data.with_name(f".{DATA}.new")
    made.unlink(missing_ok=True)
    env = lmdb.open(os.fspath(made), subdir=False, lock=False, mode=0o600, map_size=1 << 20)
    try:
        with env.begin(write=True) as inner:
            inner.put(*identity_row(Identity(secrets.token_bytes(16), 0)))
    finally:
        env.close()
    made.replace(data)
    sync_directory(data.parent)


def _map(directory: Path, map_bytes: int) -> OpenedEnvironment:
    env = lmdb.open(
        os.fspath(directory),
        map_size=map_bytes,
        max_readers=MAX_READERS,
        readahead=False,
        mode=0o600,
        sync=False,  # What is committed lies in the journal: `store.lmdb_checkpoints`.
    )
    try:
        # The slots of killed readers would keep old pages from being reused.
        env.reader_check()
        with env.begin() as inner:
            identity = _identity_in(inner, directory / DATA)
        data = os.open(directory / DATA, os.O_RDONLY | os.O_CLOEXEC)
    except BaseException:
        env.close()
        raise
    return OpenedEnvironment(env, data, identity, os.fstat(data).st_size)


def usage_of(opened: OpenedEnvironment) -> Usage:
    """The fill level, by the pages that hold something."""
    info, stat = opened.env.info(), opened.env.stat()
    pages, page_bytes = int(info["last_pgno"]) + 1, int(stat["psize"])
    used = 2 + int(stat["branch_pages"]) + int(stat["leaf_pages"]) + int(stat["overflow_pages"])
    used += -(-max(0, pages - used) * 8 // page_bytes)  # The list of the free pages.
    return Usage(
        used_bytes=min(used, pages) * page_bytes,
        map_bytes=int(info["map_size"]),
        entries=int(stat["entries"]) - (opened.identity is not None),
    )


def copy_environment(env: lmdb.Environment, target: Path) -> None:
    """Writes a compacted, synced copy to a new file; raises StoreUnavailable and leaves none."""
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
        raise StoreUnavailable(f"store: can't write the copy: {plain_text(error)}") from error


def identity_row(identity: Identity) -> tuple[bytes, bytes]:
    """The row that gives a store its identity."""
    return IDENTITY_KEY, _IDENTITY.pack(identity.store, identity.compactions)


def _identity_in(inner: lmdb.Transaction, path: Path) -> Identity | None:
    """The identity in a data file; None for an empty one, or a store of an older release.

    Raises:
        StoreUnavailable: another program's keys are in it.
    """
    value = inner.get(IDENTITY_KEY)
    if value is not None:
        return Identity(*_IDENTITY.unpack(value))
    with inner.cursor() as cursor:
        if cursor.first():
            try:
                keys.decode(bytes(cursor.key()))
            except ValueError as error:
                raise StoreUnavailable(
                    f"store: {path.name} in {path.parent} is another program's; name a directory "
                    "that holds a store, or none yet"
                ) from error
    return None


def read_identity(path: Path) -> Identity | None:
    """The identity in a data file that this process has not opened; see `_identity_in`."""
    env = lmdb.open(
        os.fspath(path), subdir=False, lock=False, readonly=True, create=False, map_size=0
    )
    try:
        with env.begin() as inner:
            return _identity_in(inner, path)
    finally:
        env.close()


def plain_text(error: Exception) -> str:
    """The text of an error without paths, which are none of a client's business."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).rpartition(": ")[2]  # Before it stands a path, or one of LMDB's functions.
