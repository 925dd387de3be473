"""Refuses ids that are none: texts of missing values, rounded numbers, and cells of other types.

Read as ids, they would make one user of everybody whose id was lost on the way into the file.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pyarrow as pa

from penchant.domain.arrays import Mask
from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.cells import quoted
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import Cells, RowBatch

LOST_IN_PARQUET = frozenset({"nan", "NaN", "None", "NaT", "<NA>"})
"""What pandas makes of a missing id where a column is turned into text: `astype(str)`."""

LOST_IN_CSV = LOST_IN_PARQUET | {
    *("NAN", "null", "NULL", "(null)", "NA", "N/A", "#N/A", "n/a", "undefined", "\\N"),
    *("#NV", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"),
}
"""How R, JavaScript, SQL, MySQL's exports and spreadsheets too write one that is not there."""

_EXACT = 2.0**53
"""From here on, not every whole number is a float."""

_ROUNDED = re.compile(r"[1-9](\.\d+)?E\+\d\d")
"""How a spreadsheet writes a long number: 502123456789 becomes 5.02E+11."""


def refuse_lost_ids(ids: CodedTexts, batch: RowBatch, column: str, refusals: Refusals) -> None:
    """Refuses the rows whose id in a column is lost, or of a type that no id has.

    A text such as `null` or `5.02E+11` is one only where the file knows no types, as CSV does not.
    In Parquet, those that pandas leaves behind are; in JSON, a text is meant.

    >>> batch = RowBatch.of_rows([{"user": ["ann"]}, {"user": "null"}])
    >>> refusals = Refusals(batch)
    >>> refuse_lost_ids(CodedTexts.of(['["ann"]', "null"]), batch, "user", refusals)
    >>> refusals.reasons
    {0: "column 'user' holds a list or an object, ['ann'], expected text or a whole number"}
    """
    refuse_types(batch, column, refusals)
    if batch.lost_ids:
        reasons = {text: _loss(column, text, batch) for text in ids.distinct}
        lost = ids.where(lambda text: bool(reasons[text]))
        refusals.refuse(lost, lambda at: reasons[ids.at(at)])


def refuse_types(batch: RowBatch, column: str, refusals: Refusals) -> None:
    """Refuses the rows whose cell in a column of ids is neither text nor a whole number.

    A float is whole as long as its type holds all digits: pandas turns whole numbers into floats
    where one of them is missing. Missing cells are not looked at.

    >>> batch = RowBatch.of_rows([{"user": cell} for cell in (7, 7.0, None, True, 7.5)])
    >>> refusals = Refusals(batch)
    >>> refuse_types(batch, "user", refusals)
    >>> refusals.reasons[3]
    "column 'user' holds true or false, True, expected text or a whole number"
    >>> list(refusals.reasons)
    [3, 4]
    """

    def reason(position: int) -> str:
        cell = batch.cell(column, position)
        kind = "a list or an object"
        if isinstance(cell, bool):
            kind = "true or false"
        elif isinstance(cell, float):
            kind = "a number with decimals"
            if cell.is_integer() or math.isinf(cell):
                kind = "a number of which the last digits are lost"
        return f"column {column!r} holds {kind}, {quoted(cell)}, expected text or a whole number"

    refusals.refuse(_of_wrong_type(batch.cells(column)), reason)


def _of_wrong_type(cells: Cells) -> Mask:
    """Which of n cells have a type that no id has, shape (n,)."""
    if not isinstance(cells, pa.Array):
        return np.fromiter(map(_is_no_id, cells), np.bool_, len(cells))
    kind = cells.type
    if pa.types.is_nested(kind) or pa.types.is_boolean(kind):
        valid: Mask = cells.is_valid().to_numpy(zero_copy_only=False)
        return valid
    if pa.types.is_floating(kind):
        numbers = cells.to_numpy(zero_copy_only=False)
        inexact = np.abs(numbers) >= 2 ** (np.finfo(numbers.dtype).nmant + 1)
        wrong: Mask = ~np.isnan(numbers) & (inexact | (numbers != np.floor(numbers)))
        return wrong
    return np.zeros(len(cells), np.bool_)


def _is_no_id(cell: Any) -> bool:
    if isinstance(cell, float):
        return not math.isnan(cell) and (not cell.is_integer() or abs(cell) >= _EXACT)
    return isinstance(cell, (list, dict, bool))


def _loss(column: str, text: str, batch: RowBatch) -> str:
    if text in batch.lost_ids:
        return (
            f"column {column!r} holds {text!r}, which stands for a missing value; leave the cell "
            "empty, or write an id that reads so in JSON lines"
        )
    if batch.untyped and text.endswith(tuple("0123456789")) and _ROUNDED.fullmatch(text):
        return (
            f"column {column!r} holds {text!r}, a number that a spreadsheet has rounded; export "
            "the column as text"
        )
    return ""
