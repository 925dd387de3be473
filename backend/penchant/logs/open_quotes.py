"""Tells a field of several lines from a quote that was never closed and swallowed rows.

Where a quote is not closed, a later one closes it by chance: the record in between may have the
right number of fields. What gives it away is that its lines are rows themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

MANY_LINES = 100
"""Lines of one row from which it is worth a warning."""

Traits = tuple[bool, ...]


def swallows_rows(lines: Sequence[str], width: int, delimiter: str) -> bool:
    r"""Whether most lines of a record, the first one left out, look like rows of the file.

    A line does if it has the right number of fields by itself, its first field is made of the same
    kinds of characters as that of the first line, and the same fields are blank or begin with
    white space: text has its spaces behind commas, rows have not.

    Args:
        lines: the lines of the record, two or more.
        width: number of fields of a row.
        delimiter: between the fields.

    >>> swallows_rows(['q4,"12 Angry Men\n', "q5,Heat\n", 'q6,Fargo"\n'], 2, ",")
    True
    >>> swallows_rows(['q4,"Roses are red,\n', 'violets are blue"\n'], 2, ",")
    False
    """
    if width < 2:
        return False
    expected = _traits(lines[0].replace('"', "").split(delimiter))
    if len(lines[0].split(delimiter)) < 2:
        return False
    behind = lines[1:]
    alike = sum(_traits(_cells(line, width, delimiter)) == expected for line in behind)
    return alike * 2 > len(behind)


def _cells(line: str, width: int, delimiter: str) -> list[str]:
    """Returns the fields of a line by itself, as CSV or as if it had no quotes; empty: neither."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        cells = []
    if len(cells) != width:
        cells = line.replace('"', "").split(delimiter)
    return cells if len(cells) == width else []


def _traits(cells: Sequence[str]) -> Traits:
    if not cells:
        return ()
    first = cells[0].strip()
    return (
        any(map(str.isdigit, first)),
        any(map(str.isalpha, first)),
        any(map(str.isspace, first)),
        *(cell[:1].isspace() for cell in cells[:2]),
        *(not cell.strip() for cell in cells[:2]),
    )
