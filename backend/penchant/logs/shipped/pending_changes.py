"""Reads what no commit of a shipped log holds yet, rows and notes that belong together.

A store of one writer gives a snapshot of one moment. Where several servers write, notes are read
before the rows, and once more after them: a user of whom a further note is there by then may have
been read in either state, and is left to the next commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from penchant.domain.errors import StoreUnavailable
from penchant.logs.shipped.pending_rows import PendingRows
from penchant.logs.shipped.shipped_state import ShippedState
from penchant.store.base import Snapshot, Store
from penchant.store.ship_notes import ShipNote, names_noted_since, read_all_notes, read_notes

_ATTEMPTS = 8
_PAUSE_S = 0.05

_Found = TypeVar("_Found")


def read_pending(
    store: Store,
    attempt: Callable[[Snapshot, Sequence[ShipNote]], tuple[_Found, PendingRows]],
) -> tuple[_Found, PendingRows]:
    """What an attempt finds, without the users of whom a note came meanwhile.

    Args:
        store: the store.
        attempt: reads rows, given a snapshot and all notes of the store; made again where a note
            that it answers may be out of date.

    Raises:
        StoreUnavailable: users changed again and again, or the store can't be read.
    """
    for number in range(_ATTEMPTS):
        with _notes_and_rows(store) as (snapshot, notes):
            found, pending = attempt(snapshot, notes)
        late = names_noted_since(store, (note.position for note in notes))
        answered = {note.name for note in pending.notes}
        if not late & answered and not (late and pending.by_content):
            pending.leave_out(late)
            return found, pending
        time.sleep(_PAUSE_S * (number + 1))
    raise StoreUnavailable(
        "shipped log: users were forgotten or merged again and again while the store was read; run "
        "the command again"
    )


@contextmanager
def _notes_and_rows(store: Store) -> Iterator[tuple[Snapshot, list[ShipNote]]]:
    notes = read_all_notes(store) if store.shared else None
    with store.snapshot() as snapshot:
        yield snapshot, read_notes(snapshot) if notes is None else notes


def unanswered(state: ShippedState, notes: Sequence[ShipNote]) -> list[ShipNote]:
    """Those of a store's notes that no commit has answered."""
    known = set(state.notes)
    return [
        note for note in notes if note.position >= state.next_note and note.position not in known
    ]
