"""Tells a field of several lines from a quote that was never closed and swallowed rows.

Where a quote is not closed, a later one closes it by chance: the record in between may have the
right number of fields. What gives it away is that its lines are rows themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

MANY_LINES = 100
"""Lines of one row from which it is worth a warning."""


def swallows_rows(lines: Sequence[str], width: int, delimiter: str) -> bool:
    r"""Whether most lines of a record, the first one left out, look like rows of the file.

    A line does if it has the right number of fields by itself, at least half of the fields that the
    quote leaves alone are made of the same kinds of characters as those of the first line, and the
    same fields begin with white space: text has its spaces behind commas, rows have not.

    Args:
        lines: the lines of the record, two or more.
        width: number of fields of a row.
        delimiter: between the fields.

    >>> swallows_rows(['q4,"12 Angry Men\n', "q5,Heat\n", 'q6,Fargo"\n'], 2, ",")
    True
    >>> swallows_rows(['q4,"Roses are red,\n', 'violets are blue,\n', 'and so on."\n'], 2, ",")
    False
    """
    first = lines[0].rstrip("\r\n").split(delimiter)
    if width < 2 or len(first) < 2:
        return False
    opened = next((place for place, cell in enumerate(first) if cell.count('"') % 2), 0)
    expected = [cell.replace('"', "") for cell in first]
    quoted = opened > 0 and first[0].startswith('"')  # As the first fields of all rows, then.
    alike = sum(
        _is_like(_cells(line, width, delimiter), expected[:width], opened)
        for line in lines[1:]
        if line.startswith('"') or not quoted
    )
    return alike * 2 > len(lines) - 1


def _cells(line: str, width: int, delimiter: str) -> list[str]:
    """Returns the fields of a line by itself, as CSV or as if it had no quotes; empty: neither."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        cells = []
    if len(cells) != width:
        cells = line.rstrip("\r\n").replace('"', "").split(delimiter)
    return cells if len(cells) == width else []


def _is_like(cells: Sequence[str], expected: Sequence[str], opened: int) -> bool:
    """Whether the fields of a line are like those of the first; `opened` is that of its quote."""
    if not cells or (expected[-1].strip() and not cells[-1].strip()):
        return False
    if any(cell[:1].isspace() for cell in cells[len(expected) :]):
        return False
    pairs = list(zip(cells, expected, strict=False))
    if any(cell[:1].isspace() != usual[:1].isspace() for cell, usual in pairs):
        return False
    alone = [pair for place, pair in enumerate(pairs) if place != opened]
    same = sum(_kinds(cell) == _kinds(usual) for cell, usual in alone)
    return same * 2 >= len(alone)


def _kinds(cell: str) -> tuple[bool, bool, bool]:
    """Whether a field holds digits, letters and white space."""
    text = cell.strip()
    return (
        any(map(str.isdigit, text)), any(map(str.isalpha, text)), any(map(str.isspace, text))
    )  # fmt: skip
