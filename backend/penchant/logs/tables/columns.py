"""Cells of a row by the names of their columns."""

from __future__ import annotations

from typing import Any

from penchant.logs.tables.cells import BadRow, number_of
from penchant.logs.tables.files import Row


def cell_at(row: Row, column: str) -> Any:
    """The cell in a column; raises BadRow, with the columns that there are, where it has none."""
    if column not in row.values:
        raise BadRow(f"no column {column!r}; there are {', '.join(map(str, row.values))[:200]}")
    return row.values[column]


def number_at(row: Row, column: str) -> float:
    """The finite number in a column, a truth value as 0 or 1; raises BadRow where there is none.

    >>> number_at(Row(1, {"click": True}), "click")
    1.0
    """
    cell = cell_at(row, column)
    try:
        number = number_of(float(cell) if isinstance(cell, bool) else cell)
    except BadRow:
        number = None
    if number is None:
        raise BadRow(f"{column}: missing, or not a finite number")
    return number
