"""Refuses ids that are none: the text of a missing value, rounded numbers, lists and objects.

Read as ids, they would make one user of everybody whose id was lost on the way into the file.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.cells import quoted
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import RowBatch

LOST_IN_PARQUET = frozenset({"nan", "NaN", "None", "NaT", "<NA>"})
"""What pandas makes of a missing id where a column is turned into text: `astype(str)`."""

LOST_IN_CSV = LOST_IN_PARQUET | {
    *("NAN", "null", "NULL", "(null)", "NA", "N/A", "#N/A", "n/a", "undefined", "\\N"),
    *("#NV", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!"),
}
"""How R, JavaScript, SQL, MySQL's exports and spreadsheets too write one that is not there."""

_ROUNDED = re.compile(r"[1-9](\.\d+)?E\+\d\d")
"""How a spreadsheet writes a long number: 502123456789 becomes 5.02E+11."""


def refuse_lost_ids(ids: CodedTexts, batch: RowBatch, column: str, refusals: Refusals) -> None:
    """Refuses the rows whose id in a column is lost.

    A text such as `null` or `5.02E+11` is one only where the file knows no types, as CSV does not.
    In Parquet, those that pandas leaves behind are; in JSON, a text is meant.

    >>> batch = RowBatch.of_rows([{"user": ["ann"]}, {"user": "null"}])
    >>> refusals = Refusals(batch)
    >>> refuse_lost_ids(CodedTexts.of(['["ann"]', "null"]), batch, "user", refusals)
    >>> refusals.reasons
    {0: "column 'user' holds a list or an object, ['ann'], expected text or a number"}
    """
    cells = batch.cells(column)
    if not isinstance(cells, pa.Array):
        nested = np.fromiter((isinstance(one, (list, dict)) for one in cells), np.bool_, len(batch))
    elif pa.types.is_nested(cells.type):
        nested = cells.is_valid().to_numpy(zero_copy_only=False)
    else:
        nested = np.zeros(len(batch), np.bool_)

    def what(position: int) -> str:
        got = quoted(batch.cell(column, position))
        return f"column {column!r} holds a list or an object, {got}, expected text or a number"

    refusals.refuse(nested, what)
    if batch.lost_ids:
        reasons = {text: _loss(column, text, batch) for text in ids.distinct}
        lost = ids.where(lambda text: bool(reasons[text]))
        refusals.refuse(lost, lambda at: reasons[ids.at(at)])


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
