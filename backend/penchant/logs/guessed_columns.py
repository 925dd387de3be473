"""Guesses columns whose names say nothing from what stands in them.

The item of an event is the column that holds ids of the items' file, the time the one column that
holds times, and the user the column with the most values that come again. What two columns could
be is not guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from penchant.logs.cells import BadRow, is_missing, text_of, time_us_of
from penchant.logs.table_file import TableFile

ROWS = 5000
"""Rows that a guess looks at."""

_FIRST_US, _LAST_US = 631_152_000_000_000, 4_102_444_800_000_000
"""1990 and 2100: a number outside of them is no time."""
_NEARLY_ALL = 0.95
_CLEARLY_MORE = 4
"""Times as many distinct values as the next column has, for a user."""

Sample = Mapping[str, Sequence[str]]
"""Texts of the cells that are not empty, by column."""


def sample_of(table: TableFile) -> Sample:
    """The first rows of a table, with every column that it names or that one of them has."""
    batch = next(iter(table.batches(rows=ROWS)), None)
    found: dict[str, list[str]] = {name: [] for name in table.names if name}
    for row in batch.rows() if batch is not None else ():
        for name, cell in row.items():
            if not is_missing(cell):
                found.setdefault(name, []).append(_text(cell))
    return found


def guess_event_columns(
    sample: Sample, missing: Collection[str], taken: Collection[str], ids: Collection[str]
) -> dict[str, str]:
    """Guesses the columns of fields that a file of events seems to lack.

    Args:
        sample: rows of the file.
        missing: fields to guess: user, item, occurred_at.
        taken: columns that are known already.
        ids: ids of the items' file; empty: unknown.

    Returns:
        Columns by field, for those that can be told.

    >>> rows = {"wer": list("abcab" * 9), "was": list("xyxyx" * 9), "wann": ["2024-05-01"] * 45}
    >>> guess_event_columns(rows, ["user", "item", "occurred_at"], [], {"x", "y"})
    {'item': 'was', 'occurred_at': 'wann', 'user': 'wer'}
    """
    left = {name: cells for name, cells in sample.items() if cells and name not in taken}
    found = {}
    if "item" in missing and (column := _of_ids(left, ids)):
        found["item"] = column
        del left[column]
    times = [name for name, cells in left.items() if _are_times(cells)]
    if "occurred_at" in missing and len(times) == 1:
        found["occurred_at"] = times[0]
    left = {name: cells for name, cells in left.items() if name not in times}
    # Without a known item, what comes again might be that.
    item_is_known = "item" not in missing or "item" in found
    if "user" in missing and item_is_known and (column := _of_users(left)):
        found["user"] = column
    return found


def guess_id_column(sample: Sample, of_events: Sample) -> str:
    """The column of an items' file that the events point to; empty if none or several do.

    >>> items = {"nr": ["1", "2", "3"], "price": ["9", "9", "8"]}
    >>> guess_id_column(items, {"who": ["a", "b"], "what": ["1", "3"]})
    'nr'
    """
    unique = [name for name, cells in sample.items() if cells and len(set(cells)) == len(cells)]
    pointed = [name for name in unique if _of_ids(of_events, set(sample[name]))]
    return pointed[0] if len(pointed) == 1 else ""


def _of_ids(sample: Sample, ids: Collection[str]) -> str:
    """The one column whose values are nearly all among some ids."""
    inside = [
        name
        for name, cells in sample.items()
        if cells and sum(cell in ids for cell in cells) >= 0.5 * len(cells)
    ]
    return inside[0] if len(inside) == 1 else ""


def _of_users(sample: Sample) -> str:
    """The one column with by far the most distinct values, each of which comes again."""
    counts = sorted(
        (
            (len(set(cells)), name)
            for name, cells in sample.items()
            if 2 * len(set(cells)) <= len(cells)
        ),
        reverse=True,
    )
    if not counts or counts[0][0] < 2:
        return ""
    clear = len(counts) == 1 or counts[0][0] >= _CLEARLY_MORE * counts[1][0]
    return counts[0][1] if clear else ""


def _are_times(cells: Sequence[str]) -> bool:
    return sum(map(_is_time, cells)) >= _NEARLY_ALL * len(cells)


def _is_time(text: str) -> bool:
    try:
        return _FIRST_US <= time_us_of(text, "s") <= _LAST_US
    except BadRow:
        return False


def _text(cell: Any) -> str:
    try:
        return text_of(cell)
    except BadRow:
        return ""
