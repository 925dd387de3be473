"""Converts single columns of a batch, and refuses the rows that lack a usable cell."""

from __future__ import annotations

from collections.abc import Callable
from operator import not_
from typing import Any

import pyarrow as pa

from penchant.domain.arrays import Float64, Int64
from penchant.logs.cell_arrays import CodedTexts, numbers_of, texts_of, times_us_of
from penchant.logs.cells import BadRow, has_half_a_surrogate_pair, time_us_of
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import Cells, RowBatch


def ids_in(batch: RowBatch, column: str, refusals: Refusals) -> CodedTexts:
    """Converts a column to ids, without white space around them; empty where a row has none."""
    cells = batch.cells(column)
    ids = texts_of(cells, strip=True)
    refusals.refuse_each(ids.wrong)
    if isinstance(cells, pa.Array):
        return ids  # Arrow holds none but whole characters.
    halved = ids.where(has_half_a_surrogate_pair)
    what = f"column {column!r} holds half a surrogate pair, expected Unicode text"
    refusals.refuse(halved, what)
    writable = ["" if has_half_a_surrogate_pair(text) else text for text in ids.distinct]
    return CodedTexts(writable, ids.code)


def required_ids(batch: RowBatch, column: str, field: str, refusals: Refusals) -> CodedTexts:
    """Converts a column to ids; refuses rows without one, and names the field in the reason."""
    ids = ids_in(batch, column, refusals)

    def reason(position: int) -> str:
        where = "is empty" if batch.has(column, position) else "is not there"
        return f"{field}: column {column!r} {where}"

    refusals.refuse(ids.where(not_), reason)
    return ids


def required_cells(batch: RowBatch, column: str, refusals: Refusals) -> Cells:
    """Returns a column's cells; refuses rows that lack the column, and names those they have."""

    def reason(position: int) -> str:
        return f"no column {column!r}; there are {', '.join(batch.values(position))[:200]}"

    refusals.refuse(batch.absent(column), reason)
    return batch.cells(column)


def required_texts(batch: RowBatch, column: str, refusals: Refusals) -> CodedTexts:
    """Converts a column to texts, which may be empty; refuses rows that lack the column."""
    texts = texts_of(required_cells(batch, column, refusals))
    refusals.refuse_each(texts.wrong)
    return texts


def required_numbers(batch: RowBatch, column: str, refusals: Refusals) -> Float64:
    """Converts a column to finite numbers, truth values to 0 and 1; refuses the other rows.

    >>> batch = RowBatch.of_rows([{"click": True}, {"click": "no"}])
    >>> refusals = Refusals(batch)
    >>> required_numbers(batch, "click", refusals).tolist(), refusals.reasons
    ([1.0, nan], {1: 'click: missing, or not a finite number'})
    """
    cells = required_cells(batch, column, refusals)
    if not isinstance(cells, pa.Array):
        cells = [float(cell) if isinstance(cell, bool) else cell for cell in cells]
    elif pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.uint8())
    numbers = numbers_of(cells)
    refusals.refuse(numbers.missing | numbers.wrong, f"{column}: missing, or not a finite number")
    return numbers.value


def required_times_us(batch: RowBatch, column: str, unit: str, refusals: Refusals) -> Int64:
    """Converts a column to microseconds since 1970; refuses the other rows."""
    times = times_us_of(required_cells(batch, column, refusals), unit)
    reason = conversion_error(batch, column, lambda cell: time_us_of(cell, unit))
    refusals.refuse(times.missing | times.wrong, reason)
    return times.at_us


def conversion_error(
    batch: RowBatch, column: str, convert: Callable[[Any], Any]
) -> Callable[[int], str]:
    """Returns the reasons, by position, why a conversion refuses the cells of a column."""

    def reason(position: int) -> str:
        try:
            convert(batch.cell(column, position))
        except BadRow as error:
            return str(error)
        return f"column {column!r} can't be read"

    return reason
