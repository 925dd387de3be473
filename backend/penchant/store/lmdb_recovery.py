"""What the first process that opens a store does after a power cut, or after `kill -9` of all.

The data file is written in the background, in any order. So its newest meta page may name pages
that never reached the disk; what is whole is the state of the last checkpoint. That one is made to
count again, and the transactions behind it are written again from the journal.

It goes by the journal, not by the reason of the end: after `kill -9` the data file is whole as it
is, and comes out with the same content; a disk that came and went makes no difference either.
"""

from __future__ import annotations

import os
from pathlib import Path

import lmdb

from penchant.domain.errors import StoreUnavailable
from penchant.store.commit_journal import (
    HEAD,
    SEGMENTS,
    Checkpoint,
    CommitJournal,
    JournalEntry,
    JournalNote,
)
from penchant.store.lmdb_file import DATA, checksum_of_roots, meta_of, newest_meta, put_back

_AT_ONCE = 256
"""Transactions of the journal that are written again in one of LMDB."""


def put_checkpoint_back(directory: Path, journal: CommitJournal) -> list[JournalEntry]:
    """Makes the last checkpoint the state of the data file, if transactions may be behind it.

    Nobody else has the store open, nor has this process yet. `write_again` must follow. Both may be
    interrupted at any point and begun again.

    Returns:
        What must be written again.

    Raises:
        StateCorrupt: the journal is damaged.
        StoreUnavailable: the data file is not the one that the journal belongs to.
        OSError: it can't be read or written.
    """
    checkpoint = journal.checkpoint()
    journal.write_note(JournalNote())
    if checkpoint is None or not (directory / DATA).exists():
        return []
    entries = journal.entries_after(checkpoint)
    last = entries[-1].transaction if entries else checkpoint.transaction
    fd = os.open(directory / DATA, os.O_RDWR | os.O_CLOEXEC)
    try:
        newest = newest_meta(fd)
        if newest is None or not checkpoint.transaction <= newest.transaction <= last:
            # A transaction is in the journal before LMDB commits it. So this is another file that
            # was put in place, or an older release has written and synced; or it is no data of
            # LMDB's, which is said where the file is opened.
            return []
        if not entries and newest.transaction == checkpoint.transaction:
            return []
        if checksum_of_roots(fd, checkpoint.meta) != checkpoint.roots:
            raise StoreUnavailable(
                f"store: {DATA} in {directory} is not the file that the journal beside it belongs "
                f"to; if you restored a backup, remove {HEAD}, {' and '.join(SEGMENTS)}, else "
                "restore one"
            )
        put_back(fd, checkpoint.meta, checkpoint.transaction)
    finally:
        os.close(fd)
    return entries


def write_again(
    env: lmdb.Environment, data: int, journal: CommitJournal, entries: list[JournalEntry]
) -> None:
    """Writes the transactions of the journal again, and makes their end the new checkpoint.

    Args:
        env: opened after `put_checkpoint_back`.
        data: a descriptor of its data file.
        journal: nobody else has it.
        entries: from `put_checkpoint_back`; empty: nothing to do.
    """
    if not entries:
        return
    before = journal.checkpoint()
    assert before is not None  # It had entries behind it.
    with env.begin():  # Keeps the pages of the checkpoint, in case that this is interrupted.
        for first in range(0, len(entries), _AT_ONCE):
            with env.begin(write=True) as inner:
                some = entries[first : first + _AT_ONCE]
                last = {key: value for entry in some for key, value in entry.writes}
                for key, value in last.items():
                    if value is None:
                        inner.delete(key)
                    else:
                        inner.put(key, value)
        with env.begin() as inner:
            transaction = inner.id()
        os.fdatasync(data)
        journal.write_checkpoint(checkpoint_at(data, before.generation + 2, transaction))


def checkpoint_at(data: int, generation: int, transaction: int) -> Checkpoint:
    """The checkpoint of the data file's present state, to be written once that is on the disk."""
    meta = meta_of(data, transaction)
    if meta is None:
        raise StoreUnavailable(f"store: {DATA} has no meta page of transaction {transaction}")
    return Checkpoint(generation, transaction, checksum_of_roots(data, meta.body), meta.body)
