"""Tells by a whole column how its times and values are written.

One cell says little: 01.03.2026 may be the first of March or the third of January, but beside a
31.03.2026 it is not. Where all cells agree they are read, and it is said; where most do and some do
not, the file is refused with the option that decides.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from penchant.domain.errors import ConfigError
from penchant.logs.cell_arrays import CodedTexts, numbers_of, texts_of
from penchant.logs.cells import BadRow, number_of, printable, time_us_of
from penchant.logs.columns import EventColumns
from penchant.logs.log_span import YEAR_1971_US
from penchant.logs.row_batch import Cells
from penchant.logs.table_file import TableFile
from penchant.logs.written_times import (
    AUTO,
    DMY,
    EXCEL,
    MDY,
    UNITS_US,
    YMD,
    day_or_month_first,
    epoch_unit,
    moment_of_number,
    us_of_day_number,
    with_point,
)
from penchant.logs.written_values import told_form

_YEAR_1990_US, _YEAR_2001_US = 631_152_000_000_000, 978_307_200_000_000
_FINE_UNITS = ("ms", "us", "ns")
"""Units whose numbers may be ids as well: those of products have as many digits."""
_DAY_US = 86_400_000_000
_MOST = 0.9
"""Share of a column's numbers from which on the others contradict them; below, nothing is told."""
_AHEAD_US = 86_400_000_000
"""A time that is farther ahead than a day is no epoch time in seconds."""

_IN_WORDS = {
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    EXCEL: "days of a spreadsheet",
    YMD: "dates written as one number, year, month and day",
    DMY: "dates with the day first",
    MDY: "dates with the month first",
}
_VALUES_IN_WORDS = {
    "comma": "numbers with a decimal comma",
    "stars": "the number of their stars",
    "share": "what stands before the stroke",
}


@dataclass(slots=True)
class TimeForms:
    """How the times of the texts that were added may be written."""

    numbers: int = 0
    """Numbers that were added."""
    fits: dict[str, int] = field(default_factory=dict)
    """Those that are times up to a year ahead, by the unit that makes them so."""
    example: dict[str, str] = field(default_factory=dict)
    """A text by each unit that it fits or, under `not UNIT`, does not."""

    def add(self, texts: Mapping[str, int]) -> None:
        """Adds cells: how many there are by their text."""
        for text, count in texts.items():
            if not text.strip():
                continue
            number = _number(text)
            if number is not None:
                self._add_number(text, number, count)
            elif parts := day_or_month_first(text):
                one, two, _ = parts
                for unit, day in ((DMY, one), (MDY, two)):
                    if day > 12:
                        self.example.setdefault(unit, text)

    def _add_number(self, text: str, number: float, count: int) -> None:
        self.numbers += count
        for unit in _NUMBER_UNITS:
            if _is_time(number, unit):
                self.fits[unit] = self.fits.get(unit, 0) + count
                self.example.setdefault(unit, text)
            else:
                self.example.setdefault(f"not {unit}", text)

    def unit(self, column: str) -> str:
        """The unit in which all of them are times; `AUTO` where nothing is to be told.

        Raises:
            ConfigError: most of them are times in one unit, and others are not.
        """
        if DMY in self.example and MDY in self.example:
            one, two = self.example[DMY], self.example[MDY]
            raise ConfigError(
                f"occurred_at: the column {column!r} has the day first, as in {one!r}, and the "
                f"month first, as in {two!r}; expected one of them; write the dates as 2024-05-01"
            )
        for unit in (DMY, MDY):
            if unit in self.example:
                return unit
        best = max(_NUMBER_UNITS, key=lambda unit: self.fits.get(unit, 0))
        count = self.fits.get(best, 0)
        if best == "s" or count < _MOST * self.numbers:
            return AUTO
        if count < self.numbers:
            raise ConfigError(
                f"occurred_at: most numbers of the column {column!r}, such as "
                f"{self.example[best]}, are {_IN_WORDS[best]}, but not "
                f"{self.example[f'not {best}']}; mend the others, or say what they are: "
                f"--time-unit {best} or s"
            )
        return best


_NUMBER_UNITS = ("s", "ms", "us", "ns", YMD, EXCEL)


def _number(text: str) -> float | None:
    try:
        return number_of(with_point(text))
    except BadRow:
        return None


def _is_time(number: float, unit: str) -> bool:
    if unit == EXCEL:
        at_us = us_of_day_number(number)
    elif unit == YMD:
        return moment_of_number(number) is not None
    else:
        at_us = round(number * UNITS_US[unit]) if abs(number) < 1e19 else None
    if at_us is None:
        return False
    first_us = _YEAR_2001_US if unit in _FINE_UNITS else _YEAR_1990_US
    ahead_us = 366 * _DAY_US
    if unit == "s":
        first_us, ahead_us = YEAR_1971_US, _DAY_US
    return first_us <= at_us <= time.time_ns() // 1000 + ahead_us


def could_be_times(texts: Collection[str]) -> bool:
    """Whether nearly all texts of a column of any name are times.

    Days of a spreadsheet must have parts, since whole numbers may number anything.
    """
    forms = TimeForms()
    forms.add(Counter(texts))
    try:
        unit = forms.unit("")
    except ConfigError:
        return False
    if unit == EXCEL and not any(set(text) & set(".,") for text in texts):
        return False
    found, latest_us = 0, time.time_ns() // 1000 + 366 * _DAY_US
    for text in texts:
        with contextlib.suppress(BadRow):
            found += _YEAR_1990_US <= time_us_of(text, unit) < latest_us
    return bool(texts) and found >= 0.95 * len(texts)


def with_told_forms(table: TableFile, columns: EventColumns) -> tuple[EventColumns, list[str]]:
    """Returns the columns with the forms of their times and values, and a sentence for each.

    A form that somebody named stays. Cost: a look at the first rows; where they are written in an
    unusual way, a pass over the two columns of the file.

    Args:
        table: the file, before its first row; it stays there.
        columns: the columns that were found in it.

    Raises:
        ConfigError: the file can't be read, or its times contradict each other.
    """
    sentences = []
    times, values = columns.occurred_at, columns.value
    with table.again() as first:
        batch = next(iter(first.batches({times, values}.__contains__)), None)
    if batch is None:
        return columns, []
    open_times = columns.time_unit == AUTO and not _are_plain_times(batch.cells(times))
    open_values = bool(numbers_of(batch.cells(values)).wrong.any())
    if not open_times and not open_values:
        return columns, []
    forms, texts = TimeForms(), dict[str, None]()
    with table.again() as whole:
        for batch in whole.batches({times, values}.__contains__):
            if open_times:
                forms.add(_counted(texts_of(batch.cells(times), strip=True)))
            if open_values and len(texts) < _MOST_VALUES:
                found = texts_of(batch.cells(values), strip=True).distinct
                texts.update(dict.fromkeys(filter(None, found)))
    if open_times and (unit := forms.unit(times)) != AUTO:
        columns = dataclasses.replace(columns, time_unit=unit)
        sentences.append(
            f"All times of the column {printable(times)} are read as {_IN_WORDS[unit]}. "
            "--time-unit says otherwise."
        )
    if open_values and len(texts) < _MOST_VALUES and (form := told_form(texts)):
        columns = dataclasses.replace(columns, value_form=form)
        sentences.append(
            f"All values of the column {printable(values)} are read as {_VALUES_IN_WORDS[form]}."
        )
    return columns, sentences


def _counted(texts: CodedTexts) -> dict[str, int]:
    counts = np.bincount(texts.code, minlength=len(texts.distinct)).tolist()
    return dict(zip(texts.distinct, counts, strict=True))


_MOST_VALUES = 100_000
"""Distinct values beyond which no form is told."""


def _are_plain_times(cells: Cells) -> bool:
    """Whether all cells are times without any look at the others."""
    if isinstance(cells, pa.Array) and pa.types.is_temporal(cells.type):
        return True
    for text in texts_of(cells, strip=True).distinct[:_LOOKED_AT]:
        number = _number(text)
        if number is not None and not _is_time(number, epoch_unit(AUTO)):
            return False
        if number is None and day_or_month_first(text):
            return False
    return True


_LOOKED_AT = 2000
