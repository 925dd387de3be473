"""Converts columns of cells to arrays: texts by code, numbers, and times in microseconds.

Numbers and times of the usual types are converted by Arrow; every other cell by the functions of
`cells`, once for each distinct one. Both ways give the same result, as a test holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penchant.domain.arrays import Float64, Int32, Int64, Mask
from penchant.logs.cells import (
    FARTHEST_US,
    BadRow,
    is_missing,
    number_of,
    text_of,
    time_us_of,
)
from penchant.logs.row_batch import ABSENT, Cells, python_cells
from penchant.logs.written_times import UNITS_US, epoch_unit

_YEAR_1_US = -62_135_596_800_000_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class CodedTexts:
    """n texts, each distinct one held once.

    >>> CodedTexts.of(["tent", "rope", "tent"]).code.tolist()
    [0, 1, 0]
    """

    distinct: Sequence[str]
    """By first appearance."""
    code: Int32
    """Places in `distinct`, shape (n,)."""
    wrong: Mapping[int, str] = field(default_factory=dict)
    """Why a cell has no text, by position."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> CodedTexts:
        """Codes texts."""
        places: dict[str, int] = {}
        code = [places.setdefault(text, len(places)) for text in texts]
        return cls(list(places), np.array(code, np.int32))

    @classmethod
    def constant(cls, text: str, count: int) -> CodedTexts:
        """Returns the same text `count` times."""
        return cls([text], np.zeros(count, np.int32))

    def where(self, test: Callable[[str], bool]) -> Mask:
        """Returns which texts pass a test, shape (n,); each distinct text is tested once."""
        passed = np.fromiter(map(test, self.distinct), np.bool_, len(self.distinct))
        return passed[self.code]

    def at(self, position: int) -> str:
        """Returns the text at a position."""
        return self.distinct[self.code.item(position)]

    def to_list(self, rows: slice = slice(None)) -> list[str]:
        """Returns the texts as a list."""
        return [self.distinct[code] for code in self.code[rows].tolist()]

    def take(self, positions: Int64) -> CodedTexts:
        """Returns the texts at some positions, shape (m,)."""
        return CodedTexts(self.distinct, self.code[positions])


@dataclass(frozen=True, slots=True)
class ParsedNumbers:
    """n cells as numbers."""

    value: Float64
    """NaN where there is no number, shape (n,)."""
    missing: Mask
    """Empty cells, shape (n,)."""
    wrong: Mask
    """Cells that are not finite numbers, shape (n,)."""


@dataclass(frozen=True, slots=True)
class ParsedTimes:
    """n cells as times."""

    at_us: Int64
    """Microseconds since 1970, 0 where there is no time, shape (n,)."""
    missing: Mask
    """Empty cells, shape (n,)."""
    wrong: Mask
    """Cells that are not times, shape (n,)."""


def texts_of(cells: Cells, *, strip: bool = False) -> CodedTexts:
    """Converts cells to text as `text_of` does; `strip` removes white space around it."""
    distinct, place = _distinct(cells)
    wrong: dict[int, str] = {}
    texts = []
    for number, cell in enumerate(distinct):
        if type(cell) is not str:
            try:
                cell = text_of(cell)
            except BadRow as error:
                cell, wrong[number] = "", str(error)
        texts.append(cell.strip() if strip else cell)
    bad = np.flatnonzero(np.isin(place, list(wrong))).tolist() if wrong else []
    reasons = {position: wrong[int(place[position])] for position in bad}
    numbered = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    if len(numbered) < len(texts):  # Two cells became one text.
        renumbered = np.fromiter(map(numbered.__getitem__, texts), np.int32, len(texts))
        place = renumbered[place]
    return CodedTexts(list(numbered), place, reasons)


def numbers_of(cells: Cells) -> ParsedNumbers:
    """Converts cells to numbers as `number_of` does."""
    numbers = _fast_numbers(cells)
    if numbers is not None:
        return numbers
    distinct, place = _distinct(cells)
    value = np.full(len(distinct), np.nan)
    wrong = np.zeros(len(distinct), np.bool_)
    for number, cell in enumerate(distinct):
        try:
            found = number_of(cell)
        except BadRow:
            wrong[number] = True
        else:
            value[number] = np.nan if found is None else found
    missing = np.fromiter(map(is_missing, distinct), np.bool_, len(distinct))
    return ParsedNumbers(value[place], missing[place], wrong[place])


def times_us_of(cells: Cells, unit: str) -> ParsedTimes:
    """Converts cells to times as `time_us_of` does; `unit` is that of epoch numbers."""
    times = _fast_times_us(cells, unit)
    if times is not None:
        return times
    distinct, place = _distinct(cells)
    at_us = np.zeros(len(distinct), np.int64)
    wrong = np.zeros(len(distinct), np.bool_)
    missing = np.fromiter(map(is_missing, distinct), np.bool_, len(distinct))
    for number in np.flatnonzero(~missing).tolist():
        try:
            at_us[number] = time_us_of(distinct[number], unit)
        except BadRow:
            wrong[number] = True
    return ParsedTimes(at_us[place], missing[place], wrong[place])


def _distinct(cells: Cells) -> tuple[list[Any], Int32]:
    """Returns distinct cells as Python objects and the place of each cell among them.

    Cells of a list, and those that Arrow can't compare, are returned one by one.
    """
    if isinstance(cells, pa.Array):
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        try:
            coded = cells.dictionary_encode(null_encoding="encode")
        except pa.ArrowNotImplementedError:
            pass
        else:
            return python_cells(coded.dictionary), coded.indices.to_numpy(zero_copy_only=False)
        found = python_cells(cells)
    else:
        found = [None if cell is ABSENT else cell for cell in cells]
    return found, np.arange(len(found), dtype=np.int32)


def _is_text(cells: Cells) -> bool:
    return bool(pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type))


def _is_number(cells: Cells) -> bool:
    return bool(pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type))


def _fast_numbers(cells: Cells) -> ParsedNumbers | None:
    if not isinstance(cells, pa.Array):
        return None
    if pa.types.is_null(cells.type):
        every = np.ones(len(cells), np.bool_)
        return ParsedNumbers(np.full(len(cells), np.nan), every, ~every)
    if _is_text(cells):
        empty = pc.fill_null(pc.equal(cells, ""), fill_value=True)
        try:
            numbers = pc.if_else(empty, None, cells).cast(pa.float64())
        except pa.ArrowInvalid:
            return None
        value = numbers.to_numpy(zero_copy_only=False)
        missing = empty.to_numpy(zero_copy_only=False)
    elif _is_number(cells):
        value = cells.to_numpy(zero_copy_only=False).astype(np.float64)
        missing = np.isnan(value)
    else:
        return None
    wrong = ~missing & ~np.isfinite(value)
    return ParsedNumbers(np.where(wrong, np.nan, value), missing, wrong)


def _fast_times_us(cells: Cells, unit: str) -> ParsedTimes | None:
    if not isinstance(cells, pa.Array):
        return None
    if pa.types.is_timestamp(cells.type):
        missing = cells.is_null().to_numpy(zero_copy_only=False)
        ticks = cells.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        return _of_ticks(ticks, _PER_SECOND[cells.type.unit], missing)
    unit = epoch_unit(unit)
    if not unit:
        return None
    if pa.types.is_integer(cells.type) and unit != "ns":
        missing = cells.is_null().to_numpy(zero_copy_only=False)
        whole = cells.fill_null(0).to_numpy(zero_copy_only=False)
        return _of_ticks(whole, _PER_SECOND[unit], missing)
    numbers = _fast_numbers(cells) if _is_number(cells) or _is_text(cells) else None
    if numbers is None:
        return _of_iso(cells) if _is_text(cells) else None
    if _is_text(cells) and pc.any(pc.match_substring(cells, "e", ignore_case=True)).as_py():
        return None  # A number with an exponent may lack digits.
    with np.errstate(over="ignore"):
        scaled = np.where(np.isnan(numbers.value), 0.0, numbers.value) * UNITS_US[unit]
    wrong = numbers.wrong | (np.abs(scaled) >= FARTHEST_US)
    return ParsedTimes(
        np.rint(np.where(wrong, 0.0, scaled)).astype(np.int64), numbers.missing, wrong
    )


def _of_ticks(ticks: Any, per_second: int, missing: Mask) -> ParsedTimes:
    """Converts whole numbers of ticks to times."""
    wrong = np.abs(ticks.astype(np.float64)) * (1e6 / per_second) >= FARTHEST_US
    ticks = np.where(wrong, 0, ticks).astype(np.int64)
    at_us = ticks * (10**6 // per_second) if per_second <= 10**6 else ticks // 1000
    return ParsedTimes(at_us, missing, wrong)


def _of_iso(cells: Cells) -> ParsedTimes | None:
    """Converts ISO 8601 text where all cells have a zone, or none has."""
    empty = pc.fill_null(pc.equal(cells, ""), fill_value=True)
    cells = pc.if_else(empty, None, cells)
    for zone in ("UTC", None):
        try:
            times = cells.cast(pa.timestamp("us", zone))
        except pa.ArrowInvalid:
            continue
        at_us = times.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        if at_us.size and at_us.min() < _YEAR_1_US:
            return None  # The year 0, which Python's calendar lacks.
        missing = empty.to_numpy(zero_copy_only=False)
        return ParsedTimes(at_us, missing, np.zeros(len(missing), np.bool_))
    return None
