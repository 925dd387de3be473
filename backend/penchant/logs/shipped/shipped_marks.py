"""Applies the marks of a shipped log to a table of one of its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from penchant.domain.arrays import Int64, Mask
from penchant.domain.pseudonyms import name_of
from penchant.domain.window import digest64
from penchant.logs.shipped.shipped_state import ShippedMark


class MarksByName:
    """Marks, found by the users of a table."""

    def __init__(self, marks: Iterable[ShippedMark]) -> None:
        """Takes marks in their order."""
        self._marks: defaultdict[str, list[tuple[int, ShippedMark]]] = defaultdict(list)
        for place, mark in enumerate(marks):
            self._marks[mark.name].append((place, mark))

    def applied(self, table: pa.Table, sequence: int) -> pa.Table:
        """The rows of a file that still count, under their users' names of today.

        Args:
            table: with the columns `user`, `event_id` and `occurred_at` at least.
            sequence: marks of later commits alone apply.

        Cost: 2 us for each distinct user, if there are marks at all.
        """
        if not self._marks or not table.num_rows:
            return table
        users = table["user"].combine_chunks().dictionary_encode()
        if isinstance(users, pa.ChunkedArray):
            users = users.unify_dictionaries().combine_chunks()
        code = users.indices.to_numpy(zero_copy_only=False)
        names: list[str] = users.dictionary.to_pylist()
        keeps = np.ones(table.num_rows, np.bool_)
        changed = False
        for place, user in enumerate(names):
            now = user
            at = 0
            while found := self._next(now, at, sequence):
                at, mark = found[0] + 1, found[1]
                rows = np.flatnonzero(code == place)
                if mark.kind == "forgotten":
                    keeps[rows] = False
                    break
                keeps[rows] &= ~_taken(table, rows, mark)
                if mark.kind == "moved":
                    now = mark.to
            if now != user:
                names[place], changed = now, True
        if changed:
            column = pa.array(names, pa.string()).take(users.indices)
            place = table.schema.get_field_index("user")
            table = table.set_column(place, table.schema.field(place), column)
        return table if keeps.all() else table.filter(pa.array(keeps))

    def _next(self, user: str, at: int, sequence: int) -> tuple[int, ShippedMark] | None:
        """The first mark of a user from a place on that is later than a commit."""
        for place, mark in self._marks.get(name_of(user), ()):
            if place >= at and mark.sequence > sequence:
                return place, mark
        return None


def _taken(table: pa.Table, rows: Int64, mark: ShippedMark) -> Mask:
    """Which of some rows a mark takes away."""
    ids = table["event_id"].take(rows).to_pylist()
    gone = set(mark.events)
    taken = np.fromiter((digest64(id_) in gone for id_ in ids), np.bool_, len(ids))
    if mark.until_us is not None:
        times = table["occurred_at"].take(rows).cast(pa.int64()).to_numpy()
        taken |= times <= mark.until_us
    return taken
