"""Finds what no commit of a shipped log holds yet: the next commit, and the tail for readers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import LogRow
from penchant.logs.shipped.ship_cursors import Cursors, lower, users_by_name
from penchant.logs.shipped.shipped_schema import SCHEMA, table_of
from penchant.logs.shipped.shipped_state import ShippedMark
from penchant.store.base import Snapshot
from penchant.store.ship_notes import ShipNote, read_notes
from penchant.store.users import read_log, read_sound_event, read_user, scan_state_versions

_CHUNK_ROWS = 1 << 14
"""Rows that are objects at once."""

IsShipped = Callable[[LogRow], bool]


@dataclass(slots=True)
class PendingRows:
    """What one commit adds."""

    table: pa.Table = field(default_factory=SCHEMA.empty_table)
    marks: list[ShippedMark] = field(default_factory=list)
    lowered: list[tuple[str, int]] = field(default_factory=list)
    next_note: int = 0
    next_user: str | None = None
    """Where the scan goes on; None: it has seen all users."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.table.num_rows or self.marks or self.lowered)


def pending_rows(
    snapshot: Snapshot,
    cursors: Cursors,
    next_note: int,
    start: str = "",
    most_rows: int = 1 << 62,
    is_shipped: IsShipped | None = None,
) -> PendingRows:
    """Finds the rows and the changes that are not shipped, and moves the cursors over them.

    Args:
        snapshot: the store.
        cursors: how far each user's log is shipped; changed in place. If the commit fails, they
            are of no use any more.
        next_note: position of the first note that is not seen yet.
        start: users are scanned from here on.
        most_rows: rows after which the scan ends, with the whole log of the last user.
        is_shipped: tells by a row's content, where cursors are not known; every log is read then.

    Cost: a look at every record; 10 us for each row of those users whose version is past their
    cursor.
    """
    notes = read_notes(snapshot, next_note)
    pending = PendingRows(next_note=next_note + len(notes))
    gathered = _Gathered()
    _apply(snapshot, notes, cursors, pending, gathered, is_shipped)
    for user, version in scan_state_versions(snapshot, start):
        if gathered.count >= most_rows:
            pending.next_user = user
            break
        cursor = cursors.get(user, 0)
        if version <= cursor and is_shipped is None:
            continue
        rows = read_log(snapshot, user)
        for row in rows:
            if row.state_version > cursor if is_shipped is None else not is_shipped(row):
                gathered.add(row)
        reached = _sound_version(snapshot, user, rows)
        if reached:
            cursors[user] = max(cursor, reached)
    pending.table = gathered.table()
    return pending


def _sound_version(snapshot: Snapshot, user: str, rows: list[LogRow]) -> int:
    """The version that a user's log has reached: of the record, or of its rows if it is damaged."""
    try:
        state = read_user(snapshot, user)
    except StateCorrupt:
        state = None
    newest = max((row.state_version for row in rows), default=0)
    return newest if state is None else max(state.record.state_version, newest)


class _Gathered:
    """Rows on their way into a table."""

    def __init__(self) -> None:
        self.count = 0
        self._rows: list[LogRow] = []
        self._tables: list[pa.Table] = []

    def add(self, row: LogRow) -> None:
        self.count += 1
        self._rows.append(row)
        if len(self._rows) >= _CHUNK_ROWS:
            self._tables.append(table_of(self._rows))
            self._rows = []

    def table(self) -> pa.Table:
        return pa.concat_tables([*self._tables, table_of(self._rows)])


def marks_of(notes: Iterable[ShipNote]) -> list[ShippedMark]:
    """The marks of whole users that notes stand for, in their order."""
    marks = []
    for note in notes:
        if note.kind == "forgotten":
            marks.append(ShippedMark("forgotten", note.name, receipt=note.receipt))
        elif note.kind == "merged":
            marks.append(ShippedMark("moved", note.name, note.events, note.to, note.until_us))
    return marks


def _apply(
    snapshot: Snapshot,
    notes: list[ShipNote],
    cursors: Cursors,
    pending: PendingRows,
    gathered: _Gathered,
    is_shipped: IsShipped | None,
) -> None:
    """Turns notes into marks, and reads the rows that changed."""
    if not notes:
        return
    pending.marks = marks_of(notes)
    pending.lowered = [(note.name, note.version) for note in notes if note.kind != "changed"]
    changed = [note for note in notes if note.kind == "changed"]
    known = cursors if is_shipped is None else (user for user, _ in scan_state_versions(snapshot))
    users = users_by_name(known, {note.name for note in changed}) if changed else {}
    lower(cursors, pending.lowered)
    for name, digest in dict.fromkeys((note.name, one) for note in changed for one in note.events):
        user = users.get(name)
        row = None if user is None else read_sound_event(snapshot, user, digest)
        if user is None or row is None:
            continue
        known_row = row.state_version <= cursors.get(user, 0)
        if known_row if is_shipped is None else is_shipped(row):
            pending.marks.append(ShippedMark("replaced", name, (digest,)))
            gathered.add(row)
