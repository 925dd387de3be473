"""Finds what no commit of a shipped log holds yet: the next commit, and the tail for readers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from penchant.domain.pseudonyms import name_of
from penchant.domain.types import LogRow
from penchant.logs.shipped.ship_cursors import Cursors, users_by_name
from penchant.logs.shipped.shipped_schema import SCHEMA, table_of
from penchant.logs.shipped.shipped_state import ShippedMark
from penchant.store.base import Snapshot
from penchant.store.ship_notes import ShipNote
from penchant.store.users import (
    event_keys,
    read_log,
    read_logs,
    read_sound_event,
    scan_records,
    sound_version,
)

_CHUNK_ROWS = 1 << 14
"""Rows that are objects at once."""

_CHUNK_USERS = 256
"""Records that are looked at together."""

_NEAR = 4
"""The logs of users who are at least one in so many are read together."""

IsShipped = Callable[[LogRow], bool]


@dataclass(slots=True)
class PendingRows:
    """What one commit adds."""

    table: pa.Table = field(default_factory=SCHEMA.empty_table)
    marks: list[ShippedMark] = field(default_factory=list)
    lowered: list[tuple[str, int]] = field(default_factory=list)
    cursors: Cursors = field(default_factory=dict)
    """Those that change; 0: there is none any more."""
    next_user: str | None = None
    """Where the scan goes on; None: it has seen all users."""
    notes: Sequence[ShipNote] = ()
    """The notes that are answered."""
    by_content: bool = False
    """Whether shipped rows were told by their content, so that nobody can be left out."""
    left_out: bool = False
    """Whether users were left to a later commit."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.table.num_rows or self.marks or self.lowered)

    def leave_out(self, names: Collection[str]) -> None:
        """Leaves the new rows of some users, by name, to a later commit."""
        users = [user for user in self.cursors if name_of(user) in names]
        self.left_out = bool(users)
        if users:
            others = pc.invert(pc.is_in(self.table["user"], pa.array(users, pa.string())))
            self.table = self.table.filter(others)
            for user in users:
                del self.cursors[user]

    def move(self, cursors: Cursors) -> None:
        """Moves cursors over what is pending."""
        for user, version in self.cursors.items():
            if version:
                cursors[user] = version
            else:
                cursors.pop(user, None)


def pending_rows(
    snapshot: Snapshot,
    cursors: Cursors,
    notes: Sequence[ShipNote] = (),
    start: str = "",
    most_rows: int = 1 << 62,
    is_shipped: IsShipped | None = None,
) -> PendingRows:
    """Finds the rows and the changes that are not shipped.

    What it reads of one user is of one moment, or of moments in their order: the version first,
    then the rows.

    Args:
        snapshot: the store.
        cursors: how far each user's log is shipped.
        notes: those that are not answered yet; read before the snapshot's first look at a user.
        start: users are scanned from here on.
        most_rows: rows after which the scan ends, with the whole log of the last user.
        is_shipped: tells by a row's content, where cursors are not known; every log is read then.

    Cost: a look at every record; 10 us for each row of those users whose version is past their
    cursor. Over a network: a round trip for 64 records, another one for their logs, or for each
    log where few of them have news.
    """
    pending = PendingRows(notes=notes, by_content=is_shipped is not None)
    gathered = _Gathered()
    moved = pending.cursors
    _answer(snapshot, notes, cursors, pending, gathered, is_shipped)
    records = scan_records(snapshot, start)
    while chunk := list(itertools.islice(records, _CHUNK_USERS)):
        found = {
            user: sound_version(record)
            for user, version, record in chunk
            if is_shipped is not None or version > moved.get(user, cursors.get(user, 0))
        }
        for user, rows in _logs(snapshot, list(found), len(chunk)):
            if gathered.count >= most_rows:
                pending.next_user = user
                pending.table = gathered.table()
                return pending
            cursor = moved.get(user, cursors.get(user, 0))
            for row in rows:
                if row.state_version > cursor if is_shipped is None else not is_shipped(row):
                    gathered.add(row)
            reached = max((found[user], *(row.state_version for row in rows)))
            if reached > cursor:
                moved[user] = reached
    pending.table = gathered.table()
    return pending


def _logs(snapshot: Snapshot, users: Sequence[str], of: int) -> Iterator[tuple[str, list[LogRow]]]:
    """The logs of some of `of` neighbouring users, in order, whether they have rows or not."""
    if not users:
        return
    if len(users) * _NEAR < of:
        yield from ((user, read_log(snapshot, user)) for user in users)
        return
    read = read_logs(snapshot, users)
    ahead = next(read, None)
    for user in users:
        if ahead is not None and ahead[0] == user:
            yield ahead
            ahead = next(read, None)
        else:
            yield user, []


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


def _answer(
    snapshot: Snapshot,
    notes: Sequence[ShipNote],
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
    known: Iterable[str] = cursors
    if is_shipped is not None:
        known = itertools.chain(cursors, (user for user, _, _ in scan_records(snapshot)))
    users, moved = users_by_name(known, {note.name for note in notes}), pending.cursors
    for name, version in pending.lowered:
        user = users.get(name)
        if user is not None and user in cursors:
            moved[user] = max(0, min(moved.get(user, cursors[user]), version))
    for name, digests in _by_name(changed).items():
        user = users.get(name)
        if user is None:
            continue
        snapshot.fetch(event_keys(user, digests))
        for digest in digests:
            row = read_sound_event(snapshot, user, digest)
            if row is None:
                continue
            known_row = row.state_version <= moved.get(user, cursors.get(user, 0))
            if known_row if is_shipped is None else is_shipped(row):
                pending.marks.append(ShippedMark("replaced", name, (digest,)))
                gathered.add(row)


def _by_name(changed: Iterable[ShipNote]) -> dict[str, list[int]]:
    """Digests of changed rows, each once, by the names of their users."""
    found: dict[str, dict[int, None]] = {}
    for note in changed:
        found.setdefault(note.name, {}).update(dict.fromkeys(note.events))
    return {name: list(digests) for name, digests in found.items()}
