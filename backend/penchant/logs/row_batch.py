"""Consecutive rows of a table file, by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from penchant.domain.arrays import Int64, Mask

BATCH_ROWS = 1 << 16
"""Most rows in a batch."""

BATCH_BYTES = 1 << 24
"""Bytes of a text file after which a batch ends, however few its rows are."""

Cells = Any
"""Cells of one column: a `pyarrow.Array`, or a list of Python objects where their types differ."""


class Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()
"""A cell of a row that lacks the column, as rows of JSON may."""


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that has no cells by column."""

    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """The cells that could be read, by column."""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """n consecutive rows.

    >>> batch = RowBatch.of_rows([{"user": "ann", "age": 7}, {"user": 5}])
    >>> batch.columns["user"], batch.values(1), batch.has("age", 1)
    (['ann', 5], {'user': 5}, False)
    """

    number: Int64
    """Row numbers from 1, shape (n,); a CSV file's heading and blank lines are not counted."""
    line: Int64 | None
    """Line of the file on which each row begins, from 1, shape (n,); None: not a text file."""
    columns: Mapping[str, Cells]
    """n cells by the column's name; empty cells in unreadable rows."""
    unreadable: Mapping[int, UnreadableRow] = field(default_factory=dict)
    """By position in the batch."""
    untyped: bool = False
    """Whether the file knows no numbers: then an id 12.0 is the number 12 as pandas wrote it."""
    lost_ids: frozenset[str] = frozenset()
    """Texts that stand for a missing id in files of this kind."""

    @classmethod
    def of_rows(
        cls,
        rows: Sequence[Mapping[str, Any]],
        number: Int64 | None = None,
        unreadable: Mapping[int, UnreadableRow] | None = None,
        wanted: Callable[[str], bool] = lambda name: True,
    ) -> RowBatch:
        """Turns rows of Python objects into a batch.

        Args:
            rows: cells by column, n of them; an empty mapping for an unreadable row.
            number: row and line numbers, shape (n,); default: from 1.
            unreadable: by position.
            wanted: selects the columns.
        """
        if number is None:
            number = np.arange(1, len(rows) + 1)
        names = [name for name in dict.fromkeys(chain.from_iterable(rows)) if wanted(name)]
        columns = {name: _typed([row.get(name, ABSENT) for row in rows]) for name in names}
        return cls(number, number, columns, unreadable or {})

    def __len__(self) -> int:
        return len(self.number)

    def cells(self, column: str) -> Cells:
        """Returns n cells; empty ones where the batch lacks the column."""
        cells = self.columns.get(column)
        return pa.nulls(len(self)) if cells is None else cells

    def has(self, column: str, position: int) -> bool:
        """Whether a row has a cell in a column, if only an empty one."""
        cells = self.columns.get(column)
        return cells is not None and (isinstance(cells, pa.Array) or cells[position] is not ABSENT)

    def absent(self, column: str) -> Mask:
        """Returns which rows lack a column, shape (n,)."""
        cells = self.columns.get(column)
        if cells is None or isinstance(cells, pa.Array):
            return np.full(len(self), cells is None)
        return np.fromiter((cell is ABSENT for cell in cells), np.bool_, len(self))

    def cell(self, column: str, position: int) -> Any:
        """Returns a row's cell in a column as a Python object; None where the row lacks it."""
        cells = self.columns.get(column)
        if cells is None:
            return None
        if isinstance(cells, pa.Array):
            return python_cells(cells.slice(position, 1))[0]
        return None if cells[position] is ABSENT else cells[position]

    def values(self, position: int) -> dict[str, Any]:
        """Returns the cells of a row by column, as Python objects."""
        if position in self.unreadable:
            return dict(self.unreadable[position].values)
        names = (name for name in self.columns if self.has(name, position))
        return {name: self.cell(name, position) for name in names}

    def rows(self) -> list[dict[str, Any]]:
        """Returns `values` of every row; quicker than one by one."""
        columns = {name: python_cells(cells) for name, cells in self.columns.items()}
        rows = [
            {name: cell for name, cell in zip(columns, cells, strict=True) if cell is not ABSENT}
            for cells in zip(*columns.values(), strict=True)
        ]
        for position, row in self.unreadable.items():
            rows[position] = dict(row.values)
        return rows


_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}


def _typed(cells: list[Any]) -> Cells:
    """Returns cells of one plain type as an Arrow array, which is quicker to convert."""
    kinds = set(map(type, cells)) - {type(None)}
    if len(kinds) == 1 and (kind := kinds.pop()) in _ARROW_TYPES:
        try:
            return pa.array(cells, _ARROW_TYPES[kind])
        except (pa.ArrowException, OverflowError, UnicodeEncodeError):
            pass  # An integer of more than 64 bits, or half a surrogate pair.
    return cells


def python_cells(cells: Cells) -> list[Any]:
    """Returns the cells of a column as Python objects; text that is not UTF-8 as bytes.

    A time that no datetime can hold becomes text that says so.
    """
    if not isinstance(cells, pa.Array):
        return list(cells)
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    kind = cells.type
    if pa.types.is_timestamp(kind):  # As far as a datetime reaches, and without the zone's name.
        unit = "us" if kind.unit == "ns" else kind.unit
        cells = cells.cast(pa.timestamp(unit, kind.tz and "UTC"), safe=False)
    elif pa.types.is_time64(kind) and kind.unit == "ns":
        cells = cells.cast(pa.time64("us"), safe=False)
    try:
        found: list[Any] = cells.to_pylist()
    except UnicodeDecodeError:
        found = _bytes_for_text(cells)
    except (ValueError, OverflowError):
        found = [_one_cell(cells.slice(at, 1)) for at in range(len(cells))]
    return found


def _bytes_for_text(cells: Cells) -> list[Any]:
    try:
        return list(cells.cast(pa.binary()).to_pylist())
    except pa.ArrowException:  # Text within lists or structs.
        return [_one_cell(cells.slice(at, 1)) for at in range(len(cells))]


def _one_cell(cell: Cells) -> Any:
    try:
        return cell.to_pylist()[0]
    except (ValueError, OverflowError):  # Of which a UnicodeDecodeError is one.
        if pa.types.is_temporal(cell.type):
            ticks = cell.cast(pa.int32() if pa.types.is_date32(cell.type) else pa.int64())
            return f"{ticks.to_pylist()[0]}, beyond any {cell.type}"
        return f"a {cell.type} that can't be read"
