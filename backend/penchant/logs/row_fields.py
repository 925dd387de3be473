"""Converts single columns of a batch, and refuses the rows that lack a usable cell."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from operator import not_
from typing import Any

import numpy as np
import pyarrow as pa

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits, check_name
from penchant.logs.cell_arrays import CodedTexts, ParsedTimes, numbers_of, texts_of, times_us_of
from penchant.logs.cells import (
    BadRow,
    day_of,
    has_half_a_surrogate_pair,
    number_of,
    quoted,
    time_us_of,
    unit_hint,
)
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import Cells, RowBatch
from penchant.logs.written_times import epoch_unit

FARTHEST_NUMBER = 1e12
"""Bound on rewards, scores and features, far beyond any that is meant."""

_LIMITS = Limits()
_WHOLE_FLOAT = re.compile(r"-?\d+\.0")


def ids_in(batch: RowBatch, column: str, refusals: Refusals) -> CodedTexts:
    """Converts a column to ids, without white space around them; empty where a row has none."""
    cells = batch.cells(column)
    ids = texts_of(cells, strip=True)
    refuse_not_text(ids, column, refusals)
    if batch.untyped:
        ids = _without_decimals(ids, column, refusals)
    if isinstance(cells, pa.Array):
        return ids  # Arrow holds none but whole characters.
    halved = ids.where(has_half_a_surrogate_pair)
    what = f"column {column!r} holds half a surrogate pair, expected Unicode text"
    refusals.refuse(halved, what)
    writable = ["" if has_half_a_surrogate_pair(text) else text for text in ids.distinct]
    return CodedTexts(writable, ids.code)


def refuse_not_text(texts: CodedTexts, column: str, refusals: Refusals) -> None:
    """Refuses the rows whose cell in a column is no text."""
    refusals.refuse_each({at: f"column {column!r}: {why}" for at, why in texts.wrong.items()})


def _without_decimals(ids: CodedTexts, column: str, refusals: Refusals) -> CodedTexts:
    """Turns 12.0 into 12: pandas writes a column of whole numbers so where one cell is empty."""
    whole = ids.where(_is_whole_float)
    count = int(whole.sum())
    if not count:
        return ids
    refusals.changed[f"ids such as 12.0 in column {column!r} read as 12"] += count
    texts = [text[:-2] if _is_whole_float(text) else text for text in ids.distinct]
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    renumbered = np.array([places[text] for text in texts], np.int32)
    return CodedTexts(list(places), renumbered[ids.code], ids.wrong)


def _is_whole_float(text: str) -> bool:
    return text.endswith(".0") and _WHOLE_FLOAT.fullmatch(text) is not None


def refuse_impossible(ids: CodedTexts, field: str, most_bytes: int, refusals: Refusals) -> None:
    """Refuses ids that a server would refuse: too long, or with control characters."""
    reasons = {text: _refusal_of_id(field, text, most_bytes) for text in ids.distinct if text}
    refusals.refuse(ids.where(lambda text: bool(reasons.get(text))), lambda at: reasons[ids.at(at)])


def _refusal_of_id(field: str, text: str, most_bytes: int) -> str:
    if len(text) * 4 <= most_bytes and text.isprintable():
        return ""
    try:
        check_name(PenchantError, field, text, most_bytes)
    except PenchantError as error:
        return str(error)
    return ""


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


def required_numbers(batch: RowBatch, column: str, refusals: Refusals) -> Float64:
    """Converts a column to numbers, truth values to 0 and 1; refuses the other rows.

    A number farther from 0 than `FARTHEST_NUMBER` is refused too, so that sums and squares of the
    others stay finite.

    >>> batch = RowBatch.of_rows([{"click": True}, {"click": "no"}])
    >>> refusals = Refusals(batch)
    >>> required_numbers(batch, "click", refusals).tolist(), refusals.reasons
    ([1.0, nan], {1: 'click: not a finite number'})
    """
    cells = required_cells(batch, column, refusals)
    if not isinstance(cells, pa.Array):
        cells = [float(cell) if isinstance(cell, bool) else cell for cell in cells]
    elif pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.uint8())
    numbers = numbers_of(cells)
    refusals.refuse(numbers.missing, f"{column}: missing", column)
    refusals.refuse(numbers.wrong, f"{column}: not a finite number", column)
    refuse_far_numbers(numbers.value, column, refusals)
    return numbers.value


def refuse_far_numbers(value: Float64, column: str, refusals: Refusals) -> None:
    """Refuses rows with a number farther from 0 than `FARTHEST_NUMBER`; shape (n,)."""
    what = f"{column}: expected {-FARTHEST_NUMBER:.0e} to {FARTHEST_NUMBER:.0e}"
    refusals.refuse(np.abs(value) > FARTHEST_NUMBER, what, column)


def required_times_us(batch: RowBatch, column: str, unit: str, refusals: Refusals) -> Int64:
    """Converts a column to microseconds since 1970; refuses the rows without a possible time."""
    times = times_us_of(required_cells(batch, column, refusals), unit)
    refuse_impossible_times(batch, times, column, unit, refusals)
    return times.at_us


def refuse_impossible_times(
    batch: RowBatch, times: ParsedTimes, column: str, unit: str, refusals: Refusals
) -> None:
    """Refuses rows whose time a server would refuse: none, before 1970, or in the future."""
    reason = conversion_error(batch, column, lambda cell: time_us_of(cell, unit))
    refusals.refuse(times.missing | times.wrong, reason)
    latest = time.time_ns() // 1000 + _LIMITS.future_s * 1_000_000

    def impossible(position: int) -> str:
        cell, at_us = batch.cell(column, position), int(times.at_us[position])
        why = "before 1970" if at_us < 0 else "in the future"
        number = _epoch_number(cell)
        hint = unit_hint(number, epoch_unit(unit)) if number is not None and number > 0 else ""
        got = f"occurred_at: got {quoted(cell)}, which is {day_of(at_us)}, {why}"
        return f"{got}; {hint}" if hint else got

    refusals.refuse((times.at_us < 0) | (times.at_us > latest), impossible)


def _epoch_number(cell: Any) -> float | None:
    try:
        return number_of(cell)
    except BadRow:
        return None


def conversion_error(
    batch: RowBatch, column: str, convert: Callable[[Any], Any]
) -> Callable[[int], str]:
    """Returns the reasons, by position, why a conversion refuses the cells of a column."""

    def reason(position: int) -> str:
        try:
            convert(batch.cell(column, position))
        except BadRow as error:
            return str(error) if str(error).startswith(f"{column}:") else f"{error} ({column!r})"
        return f"column {column!r} can't be read"

    return reason
