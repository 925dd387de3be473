"""The embedded store: LMDB, one file that many processes map.

Readers never wait. Writers take turns (`store.writer_lock`, then LMDB's own lock). What a
transaction wrote is on the disk, in the journal, before it is committed and seen by anybody; LMDB's
own pages follow in the background (`store.lmdb_checkpoints`), and a start after a crash needs no
repair by hand (`store.lmdb_recovery`). What happens to the files under a running process is noticed
before anything is acknowledged: a file that was removed or replaced, a disk that failed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import lmdb

from penchant.domain.errors import StoreUnavailable
from penchant.store.background_checkpoints import BackgroundCheckpoints
from penchant.store.base import DEFAULT_MAP_BYTES, Snapshot, Transaction, Usage
from penchant.store.commit_journal import JournalNote, Write
from penchant.store.lmdb_checkpoints import LmdbCheckpoints
from penchant.store.lmdb_environment import (
    MAX_READERS,
    RESERVED_FRACTION,
    Identity,
    OpenedEnvironment,
    check_directory,
    copy_environment,
    identity_row,
    open_environment,
    open_journal,
    plain_text,
    read_identity,
    usage_of,
)
from penchant.store.lmdb_file import DATA, LOCK, check_whole, renumber
from penchant.store.lmdb_view import DAMAGE, LmdbSnapshot, LmdbView, damaged
from penchant.store.store_owner import check_owner
from penchant.store.writer_lock import WriterLock
from penchant.system.durable_file import sync_directory

_COMPACTED = f".{DATA}.compacted"
_DRAIN_S = 5.0
_LOOK_AGAIN_S = 1.0
_REPLACED = "was replaced under the running server by another file"
_REPAIR = "put the store's own files back, or restart the server to use those that are there"


class _Reading(LmdbSnapshot):
    """A snapshot from its beginning to its end. A class, since a generator takes longer."""

    __slots__ = ("inner", "store")
    store: LmdbStore

    def __enter__(self) -> Snapshot:
        self.inner = self.store.begin_read()
        return self

    def __exit__(self, *error: object) -> None:
        self.inner.abort()
        self.store.end()


class LmdbStore:
    """See `penchant.store.base.Store`. Open it once per process, and not before a fork."""

    durable = True
    shared = False

    def __init__(self, directory: Path, *, map_bytes: int = DEFAULT_MAP_BYTES) -> None:
        """Opens or creates the store in a directory; its files are for this user alone.

        Args:
            directory: created if missing.
            map_bytes: size limit; reserves address space, not disk. 0: as its writer set it.

        Raises:
            StoreUnavailable: the directory cannot be created, opened or mapped, its data file is
                empty, truncated, gone or another program's (where no store was, the directory stays
                as it is), or this is root and the store another user's.
        """
        # The files are opened again after checkpoints, wherever the process is by then.
        self._directory = directory = directory.absolute()
        check_owner(directory)
        check_directory(directory)
        self._map_bytes = map_bytes
        self._gate = threading.Lock()
        self._in_use: deque[None] = deque()
        """One entry per transaction under way in this process."""
        self.end: Callable[[], None] = self._in_use.pop
        """Ends the count of a transaction that `begin_read` began."""
        self._journal = open_journal(directory)
        try:
            self._opened: OpenedEnvironment | None = open_environment(
                directory, map_bytes, self._journal
            )
            try:
                self._writer = WriterLock(directory)
            except OSError as error:
                self._opened.close()
                raise StoreUnavailable(f"store: can't open LMDB in {directory}: {error}") from error
        except BaseException:
            self._journal.close()
            raise
        self._checkpoints = LmdbCheckpoints(self._journal)
        self._background = BackgroundCheckpoints(self._checkpoint, self._journal.note, self._rest)
        self._note_size(self._opened)
        self._remove_leftover()

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """See `Store.snapshot`; about 4 microseconds."""
        reading = _Reading()
        reading.store = self
        return reading

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; what it wrote is on the disk when the block has ended."""
        with self._writer.held():
            opened, inner = self._begin_write()
            view = LmdbView(inner, partial(self._with_room, opened))
            journaled = 0
            try:
                try:
                    if usage_of(opened).fraction > 1 - RESERVED_FRACTION:
                        view.refusal = _full_text(opened)
                    identity = opened.identity or Identity(secrets.token_bytes(16), 0)
                    if opened.identity is None:
                        view.write(identity_row(identity))
                    yield view
                    if view.writes:
                        journaled = self._put_into_journal(view.inner, view.writes)
                        try:
                            view.inner.commit()
                        except lmdb.MapFullError:  # The list of free pages takes some.
                            if not view.begin_again():
                                raise
                            self._put_into_journal(view.inner, view.writes)
                            view.inner.commit()
                except BaseException:
                    view.inner.abort()
                    raise
                view.inner.abort()  # Of one that wrote nothing.
                journaled = 0
                self._background.after_commit()
                opened.identity = identity
                found = os.fstat(opened.data)
                if found.st_size > opened.size:
                    opened.size = found.st_size
                    self._writer.note_size(found.st_ino, found.st_size)
                if view.freed and _is_at_its_limit(opened):
                    self._make_free_pages_usable(opened)
            except lmdb.MapFullError as error:
                self._make_free_pages_usable(opened)
                raise StoreUnavailable(_full_text(opened)) from error
            except DAMAGE as error:
                raise damaged(error) from error
            except lmdb.Error as error:
                raise StoreUnavailable(f"store: the write failed: {plain_text(error)}") from error
            finally:
                if journaled:
                    self._checkpoints.void(opened, journaled)
                self._in_use.pop()

    def _with_room(
        self, opened: OpenedEnvironment, inner: lmdb.Transaction
    ) -> lmdb.Transaction | None:
        """Begins a write again, with the pages that the pin kept; None if it kept none."""
        if not self._checkpoints.can_move():
            return None
        inner.abort()
        self._checkpoints.make(opened)
        return opened.env.begin(write=True)

    def _begin_write(self) -> tuple[OpenedEnvironment, lmdb.Transaction]:
        """Begins a write, counted in `_in_use`, after a checkpoint if one is needed."""
        for _ in range(3):
            opened, inner = self._begin(write=True)
            try:
                if self._checkpoints.may_write(opened):
                    return opened, inner
                inner.abort()
                self._checkpoints.make(opened)
            except BaseException:
                inner.abort()
                self._in_use.pop()
                raise
            self._in_use.pop()
        raise StoreUnavailable("store: its files were opened again, in vain; send the call again")

    def _put_into_journal(self, inner: lmdb.Transaction, writes: Sequence[Write]) -> int:
        """Writes a transaction to the disk; returns its number."""
        try:
            self._checkpoints.append(inner.id(), writes)
        except OSError as error:
            raise StoreUnavailable(f"store: the write failed: {plain_text(error)}") from error
        return inner.id()

    def _checkpoint(self) -> JournalNote:
        """Makes a checkpoint, if it can be made; returns how far the journal had grown then."""
        with contextlib.suppress(StoreUnavailable), contextlib.ExitStack() as uses:
            with self._writer.held():
                # Counted under the turn: who opens the environment again may have it, and waits.
                self._in_use.append(None)
                uses.callback(self._in_use.pop)
                opened = self._opened
                if opened is None or not self._is_in_place(opened):
                    return self._journal.note()
                self._require_length(opened, os.fstat(opened.data))
                begun = self._checkpoints.begin_beside(opened)
            if begun is not None:
                self._checkpoints.finish_beside(opened, begun)
        return self._journal.note()

    def _rest(self, still: Callable[[], bool]) -> None:
        """Lets go of the pin, unless this process writes; its next write begins with another."""
        with contextlib.suppress(StoreUnavailable), self._writer.held():
            if still():
                self._checkpoints.unpin()

    def _make_free_pages_usable(self, opened: OpenedEnvironment) -> None:
        """Commits once more: LMDB uses a page again two commits after the one that freed it.

        Without it, a full store that has just forgotten users would refuse the next write, and
        every later one, since refused writes do not count as commits. Checkpoints before and after
        have the pin let go of those pages.
        """
        if opened.identity is None:
            return
        opened.env.reader_check()  # A killed reader would keep them from being used.
        with contextlib.suppress(lmdb.Error, StoreUnavailable):
            self._checkpoints.make(opened)
            with opened.env.begin(write=True) as inner:
                row = identity_row(opened.identity)
                inner.put(*row)
                self._put_into_journal(inner, [row])
            self._checkpoints.make(opened)

    def usage(self) -> Usage:
        """See `Store.usage`; free pages of the file count as free."""
        opened, inner = self._begin(write=False)
        try:
            with inner:
                return usage_of(opened)
        finally:
            self._in_use.pop()

    def close(self) -> None:
        """Makes a last checkpoint and unmaps the file."""
        self._background.stop()
        if self._opened is not None and self._checkpoints.is_pinned(self._opened):
            with contextlib.suppress(StoreUnavailable, OSError), self._writer.held():
                opened, inner = self._begin(write=True)
                inner.abort()
                try:
                    if self._checkpoints.is_pinned(opened):
                        self._checkpoints.make_last(opened)
                finally:
                    self._in_use.pop()
        with self._gate:
            if self._opened is not None:
                self._checkpoints.unpin()
                self._opened.close()
                self._opened = None
                self._writer.close()
                self._journal.close()

    def copy(self, target: Path) -> None:
        """Writes a compacted copy of the store as of now to a new file; writers need not wait.

        Raises:
            StoreUnavailable: the copy can't be written; nothing is left of it.
        """
        opened, inner = self._begin(write=False)
        try:
            with inner:
                copy_environment(opened.env, target)
        finally:
            self._in_use.pop()

    def compact(self) -> None:
        """Rewrites the file without its free pages, which gives their space back to the disk.

        Readers go on meanwhile; writers wait their turn. Every process that has the store open
        moves to the new file at its next transaction, and the old one goes with the last of them.

        Raises:
            StoreUnavailable: the copy can't be written; the store is as it was.
        """
        copy = self._directory / _COMPACTED
        copy.unlink(missing_ok=True)
        with self._writer.held():
            opened, inner = self._begin_write()
            try:
                last = opened.identity or Identity(secrets.token_bytes(16), 0)
                with inner:
                    row = identity_row(Identity(last.store, last.compactions + 1))
                    inner.put(*row)
                    self._put_into_journal(inner, [row])
                self._checkpoints.make_last(opened)
                copy_environment(opened.env, copy)
                with copy.open("r+b") as file:
                    # One more than the journal knows of: so the new file, which is synced, counts
                    # as it is, until the first checkpoint of it.
                    renumber(file.fileno(), int(opened.env.info()["last_txnid"]) + 1)
                    os.fsync(file.fileno())
                check_whole(copy)
                copy.replace(self._directory / DATA)
                sync_directory(self._directory)
            except (lmdb.Error, OSError) as error:
                raise StoreUnavailable(f"store: can't compact: {plain_text(error)}") from error
            finally:
                self._in_use.pop()
                copy.unlink(missing_ok=True)

    def _remove_leftover(self) -> None:
        """Removes what a killed compaction has left, which may be as large as the store."""
        copy = self._directory / _COMPACTED
        if copy.exists():
            with contextlib.suppress(StoreUnavailable, OSError), self._writer.held():
                copy.unlink(missing_ok=True)

    def begin_read(self) -> lmdb.Transaction:
        """Begins a read, for `snapshot`; `end` must follow."""
        self._in_use.append(None)  # Before the look at `_opened`: see `_reopen`.
        opened = self._opened
        try:
            if opened is not None:
                found = os.fstat(opened.data)
                if found.st_size != opened.size:
                    self._require_length(opened, found)
                if found.st_nlink or self._stays(opened):
                    return opened.env.begin()
        except (lmdb.Error, StoreUnavailable):
            pass  # What is wrong is found, and mended or said, below.
        self._in_use.pop()
        return self._begin(write=False)[1]

    def _begin(self, *, write: bool) -> tuple[OpenedEnvironment, lmdb.Transaction]:
        """Begins a transaction, counted in `_in_use`; the caller takes it out at its end.

        Opens the environment again where the file was compacted meanwhile, and where a failed
        write of a meta page has left LMDB's environment unusable, though not the file.
        """
        for _ in range(2):
            self._in_use.append(None)
            opened = self._opened
            try:
                if opened is not None:
                    self._require_length(opened, os.fstat(opened.data))
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
                raise StoreUnavailable(f"store: can't begin: {plain_text(error)}") from error
            except BaseException:
                self._in_use.pop()
                raise
            self._in_use.pop()
            self._reopen(opened)
        raise StoreUnavailable("store: its files were opened again, in vain; send the call again")

    def _stays(self, opened: OpenedEnvironment) -> bool:
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

    def _is_in_place(self, opened: OpenedEnvironment) -> bool:
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

    def _require_successor(self, opened: OpenedEnvironment) -> None:
        """Makes sure that the file in place of the mapped one is the same store, compacted."""
        path = self._directory / DATA
        try:
            check_whole(path)
            found = read_identity(path)
        except FileNotFoundError as error:
            raise StoreUnavailable(_gone_text(DATA)) from error
        except (lmdb.Error, OSError) as error:
            raise StoreUnavailable(f"store: {DATA} {_REPLACED}: {plain_text(error)}") from error
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"store: {DATA} {_REPLACED}, of another program; nothing was written: {_REPAIR}"
            ) from error
        mine = opened.identity
        if found is None or mine is None or found.store != mine.store:
            raise StoreUnavailable(
                f"store: {DATA} {_REPLACED}, of another store; nothing was written: {_REPAIR}"
            )
        if found.compactions <= mine.compactions:
            raise StoreUnavailable(
                f"store: {DATA} {_REPLACED}, a copy of this store; nothing was written: {_REPAIR}"
            )

    def _reopen(self, seen: OpenedEnvironment | None) -> None:
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
                self._checkpoints.unpin()
                seen.close()
            self._opened = open_environment(
                self._directory, self._map_bytes, self._journal, again=True
            )
            self._note_size(self._opened)

    def _require_length(self, opened: OpenedEnvironment, found: os.stat_result) -> None:
        """Makes sure that the mapped file was not truncated: reads past its end kill the process.

        Where others have grown it since this process looked last, it must be as long as they noted.
        """
        size, expected = found.st_size, opened.size
        if size > expected:
            expected = self._writer.noted_size(found.st_ino)
            if size >= expected:
                opened.size = size
        if size < expected:
            raise StoreUnavailable(
                f"store: {DATA} was truncated under the running server: got {size} bytes, expected "
                f"{expected}; nothing was written: stop the server and restore a backup"
            )

    def _note_size(self, opened: OpenedEnvironment) -> None:
        """Notes the size of a file that is whole as it was opened: a backup may be shorter."""
        inode = os.fstat(opened.data).st_ino
        if self._writer.noted_size(inode) > opened.size:
            self._writer.note_size(inode, opened.size)


def _is_at_its_limit(opened: OpenedEnvironment) -> bool:
    """Whether the file has grown so far that new values need its free pages."""
    info, stat = opened.env.info(), opened.env.stat()
    reserved = RESERVED_FRACTION * int(info["map_size"])
    return (int(info["last_pgno"]) + 1) * int(stat["psize"]) > int(info["map_size"]) - reserved


def _full_text(opened: OpenedEnvironment) -> str:
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
