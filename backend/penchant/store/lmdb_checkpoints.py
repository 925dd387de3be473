"""Commits by the journal, and the checkpoints of the data file behind it.

**What a power cut may not take.** Since commits are not synced, the disk may hold any mixture of
old and new pages at any time. LMDB alone would not survive that: it spares the pages of its last
two transactions only, so that pages of the last state that was synced are soon written over. A
reader keeps them from that: LMDB reuses no page that a transaction at least as old as the oldest
reader still sees. So each process that writes has a reader of its own, the pin, on the state of a
checkpoint. Then:

1. Under the turn to write, a checkpoint takes the number and the meta page of the newest
   transaction, and a reader on it.
2. It syncs the data file. Now all pages of that state are on the disk.
3. It writes number and meta page into the journal's head, synced. The state before is still kept by
   the older pin, so that either may be found after a cut.
4. It lets go of the older pin.

A process without a pin makes a checkpoint before its first write. A pin never is younger than the
last checkpoint, since checkpoints follow each other, and an older one keeps all that a younger one
does. So, while anybody writes, the pages of the last checkpoint are never written over, and its
meta page is in the head: the state is whole whatever else reached the disk. What was committed
since lies in the journal, whose entries are synced before LMDB commits.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import lmdb

from penchant.domain.errors import StoreUnavailable
from penchant.store.commit_journal import Checkpoint, CommitJournal, JournalNote, Write
from penchant.store.lmdb_environment import RESERVED_FRACTION, OpenedEnvironment, plain_text
from penchant.store.lmdb_recovery import checkpoint_at
from penchant.store.writer_lock import WAIT_S

LONGEST_SEGMENT = 64 << 20
"""Bytes of entries after which a writer waits for a checkpoint."""

_PAGES_AT_ONCE = 128
"""Pages that a transaction writes, mostly."""

_BUSY = "store: its data file is still being synced; send the call again"
_FAILED = (
    "store: the disk failed to take pages of data.mdb; stop every process that uses the store and "
    "start it again: what was acknowledged lies in the journal"
)


class BegunCheckpoint(NamedTuple):
    """A checkpoint that is not on the disk yet."""

    pin: lmdb.Transaction
    checkpoint: Checkpoint


class LmdbCheckpoints:
    """This process's pin, and the journal of its store; safe in threads.

    The callers of all but `finish_beside`, `unpin` and `is_pinned` have the turn to write.
    """

    def __init__(self, journal: CommitJournal) -> None:
        """Takes the journal over."""
        self._journal = journal
        self._pin: lmdb.Transaction | None = None
        self._pinned: OpenedEnvironment | None = None
        self._own = threading.Lock()
        """Beside the lock on a file, which does not part the threads of one process."""
        self._failed = False
        """As in the note, which a disk that has failed may not take."""

    def is_pinned(self, opened: OpenedEnvironment) -> bool:
        """Whether this process keeps the pages of a checkpoint."""
        return self._pin is not None and self._pinned is opened

    def may_write(self, opened: OpenedEnvironment) -> bool:
        """Whether this process may commit now, or must make a checkpoint before.

        It needs a pin, and the journal must not be too long. Near the end of the map, pages that
        the pin keeps are set free first: the last ones stay for the full store's deletions.

        Raises:
            StoreUnavailable: pages of the data file may be lost.
        """
        note = self._sound_note()
        missing = self._journal.missing(note)
        if missing:
            raise StoreUnavailable(
                f"store: got no {missing}, which was removed or moved away under the running "
                "server; nothing was written: put the store's own files back, or restart the server"
            )
        if not self.is_pinned(opened) or not note.generation or note.offset >= LONGEST_SEGMENT:
            return False
        return not note.offset or _has_room(opened)

    def append(self, transaction: int, writes: Sequence[Write]) -> None:
        """Writes a transaction to the journal, before LMDB commits it; raises OSError."""
        self._journal.write_note(self._journal.append(self._sound_note(), transaction, writes))

    def can_move(self) -> bool:
        """Whether a checkpoint would let LMDB use pages that a pin keeps now."""
        return self._journal.note().offset > 0

    def void(self, opened: OpenedEnvironment, transaction: int) -> None:
        """Takes a transaction back that LMDB did not commit, if the disk still takes anything.

        Where it does not, the next transaction has the same number, and counts in its place.
        """
        with contextlib.suppress(OSError, StoreUnavailable, lmdb.Error):
            if int(opened.env.info()["last_txnid"]) < transaction:
                note = self._sound_note()
                self._journal.write_note(self._journal.append(note, transaction, ()))

    def make(self, opened: OpenedEnvironment) -> None:
        """Makes a checkpoint before anybody writes again; raises StoreUnavailable."""
        deadline = time.monotonic() + WAIT_S
        if not self._own.acquire(timeout=WAIT_S):
            raise StoreUnavailable(_BUSY)
        try:
            if not self._journal.checkpoint_lock.acquire(max(0.0, deadline - time.monotonic())):
                raise StoreUnavailable(_BUSY)
            try:
                self._finish(opened, self._begin(opened))
            finally:
                self._journal.checkpoint_lock.release()
        finally:
            self._own.release()

    def make_last(self, opened: OpenedEnvironment) -> None:
        """Makes a checkpoint, and empties the journal; raises StoreUnavailable, OSError."""
        self.make(opened)
        if self._journal.note().offset:  # It finished one whose generation had entries already.
            self.make(opened)
        self._journal.empty()

    def begin_beside(self, opened: OpenedEnvironment) -> BegunCheckpoint | None:
        """Begins a checkpoint that `finish_beside` ends while others write.

        Returns:
            None if another one is being made, or this process has no pin.

        Raises:
            StoreUnavailable: it could not be begun; the one before holds.
        """
        if not self._own.acquire(blocking=False):
            return None
        lock = self._journal.checkpoint_lock
        if not self.is_pinned(opened) or not lock.acquire(0.0):
            self._own.release()
            return None
        try:
            return self._begin(opened)
        except BaseException:
            lock.release()
            self._own.release()
            raise

    def finish_beside(self, opened: OpenedEnvironment, begun: BegunCheckpoint) -> None:
        """Brings a checkpoint to the disk, without the turn; the environment stays open.

        Raises:
            StoreUnavailable: the disk did not take it; the one before holds.
        """
        try:
            self._finish(opened, begun)
        finally:
            self._journal.checkpoint_lock.release()
            self._own.release()

    def unpin(self) -> None:
        """Lets LMDB use all pages again; nothing of this process is being committed."""
        pin, self._pin, self._pinned = self._pin, None, None
        if pin is not None:
            pin.abort()

    def _begin(self, opened: OpenedEnvironment) -> BegunCheckpoint:
        """Pins the newest state, and turns to the next generation; nobody writes."""
        note, durable = self._sound_note(), self._journal.checkpoint()
        last = 0 if durable is None else durable.generation
        if note.generation == 0:
            # What the two generations behind the checkpoint hold was read as the store was opened.
            note = JournalNote(last + 2)
        elif note.generation == last:
            note = JournalNote(last + 1)
        # Else a checkpoint was begun, and not finished: its generation goes on.
        pin = None
        try:
            if not note.offset:
                self._journal.begin_generation(note.generation)
            self._journal.write_note(note)
            pin = opened.env.begin()
            return BegunCheckpoint(pin, checkpoint_at(opened.data, note.generation, pin.id()))
        except (OSError, lmdb.Error) as error:
            if pin is not None:
                pin.abort()
            raise StoreUnavailable(f"store: the write failed: {plain_text(error)}") from error

    def _finish(self, opened: OpenedEnvironment, begun: BegunCheckpoint) -> None:
        """Brings it to the disk; the older pin goes last, and stays where that fails."""
        try:
            os.fdatasync(opened.data)
            self._journal.write_checkpoint(begun.checkpoint)
        except OSError as error:
            begun.pin.abort()
            self._failed = True
            # Never again: the kernel forgets pages that it could not write, and what it says of the
            # next sync is true of the others alone.
            with contextlib.suppress(OSError):
                self._journal.write_note(self._journal.note()._replace(failed=True))
            raise StoreUnavailable(_FAILED) from error
        older, self._pin, self._pinned = self._pin, begun.pin, opened
        if older is not None:
            older.abort()

    def _sound_note(self) -> JournalNote:
        note = self._journal.note()
        if note.failed or self._failed:
            raise StoreUnavailable(_FAILED)
        return note


def _has_room(opened: OpenedEnvironment) -> bool:
    """Whether LMDB has pages that were never used, beyond those that are kept back."""
    pages = int(opened.env.info()["map_size"]) // int(opened.env.stat()["psize"])
    left = pages - int(opened.env.info()["last_pgno"]) - 1
    return left > pages * RESERVED_FRACTION + _PAGES_AT_ONCE
