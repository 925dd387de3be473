"""Converts one cell of a table to text, a number or a time; a refusal says why in one line.

These functions define what a cell means. `cell_arrays` converts whole columns, and calls them for
every cell that has no faster way to the same result.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from penchant.logs.written_times import (
    EXCEL,
    UNITS_US,
    day_or_month_first,
    epoch_unit,
    moment_of,
    moment_of_number,
    us_of_day_number,
    with_point,
)

FARTHEST_US = float(1 << 62)
"""Bound on the distance of a time from 1970, in microseconds: 146,000 years, far below int64."""

_YEAR_2001, _YEAR_2100 = 978_307_200, 4_102_444_800
_DECIMAL_COMMA = re.compile(r"[+-]?\d[\d. ]*,\d+|[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_WORD = re.compile(r"[^\W\d][\w -]*")
_ROUNDED = re.compile(r"[+-]?\d(?:\.(\d*))?[eE]\+?(\d+)")
_UTC = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadRow(ValueError):
    """A row can't be used; the message is the reason.

    >>> str(BadRow("item: missing"))
    'item: missing'
    """


def is_missing(cell: Any) -> bool:
    """Whether a cell is empty: null, empty text, or a float NaN."""
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def text_of(cell: Any) -> str:
    """Converts a cell to text; a whole number gets no decimals, a list or an object becomes JSON.

    Raises:
        BadRow: the cell holds bytes that are not UTF-8.

    >>> text_of(42.0), text_of(True), text_of(["a", 1]), text_of(None)
    ('42', 'true', '["a", 1]', '')
    """
    if isinstance(cell, str):
        return cell
    if is_missing(cell):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError:
            raise BadRow("got bytes that are not UTF-8, expected text") from None
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell)


def number_of(cell: Any) -> float | None:
    """Converts a cell to a finite number; an empty cell to None.

    Raises:
        BadRow: the cell is not a finite number.

    >>> number_of(" 4.5"), number_of(""), number_of(3)
    (4.5, None, 3.0)
    """
    if is_missing(cell):
        return None
    try:
        if isinstance(cell, (str, int, float, Decimal)) and not isinstance(cell, bool):
            number = float(cell)
            if math.isfinite(number) and not (isinstance(cell, str) and "_" in cell):
                return number
    except (ValueError, OverflowError):
        pass
    raise BadRow(f"value: got {quoted(cell)}, expected a finite number{number_hint(cell)}")


def is_separated_number(cell: str) -> bool:
    """Whether a text is a number with a decimal comma or with separators of thousands.

    >>> is_separated_number("1,234.5"), is_separated_number("12,5"), is_separated_number("12.5")
    (True, True, False)
    """
    return _DECIMAL_COMMA.fullmatch(cell.strip()) is not None


def number_hint(cell: Any) -> str:
    """Says how to write a cell that is no number so that it is one; empty where nobody can tell.

    >>> number_hint("1.234,5")
    '; write it with a decimal point, and without separators of thousands'
    """
    if not isinstance(cell, str):
        return ""
    if is_separated_number(cell):
        return "; write it with a decimal point, and without separators of thousands"
    if cell.strip().lower() in ("na", "n/a", "nan", "null", "none", "-"):
        return "; leave the cell empty where there is none"
    if _WORD.fullmatch(cell.strip()):
        return "; if its words are signals, name the column with --signal-column"
    return ""


def time_us_of(cell: Any, unit: str) -> int:
    """Converts a cell to microseconds since 1970; a time without a zone is UTC.

    Args:
        cell: a datetime, ISO 8601 text or such as `moment_of` reads, or an epoch number.
        unit: unit of an epoch number, or how times are written, one of `TIME_UNITS`.

    Raises:
        BadRow: the cell is none of them, or farther from 1970 than `FARTHEST_US`.

    >>> time_us_of("1.5", "s"), time_us_of("1970-01-01T01:00:00+01:00", "s"), time_us_of(7, "ms")
    (1500000, 0, 7000)
    """
    if isinstance(cell, datetime):
        return _us_of_datetime(cell)
    if isinstance(cell, date):
        return _us_of_datetime(datetime.combine(cell, time()))
    whole = isinstance(cell, int) and not isinstance(cell, bool)
    try:
        number = number_of(with_point(cell) if isinstance(cell, str) else cell)
    except BadRow:
        number = math.inf if whole else None  # An integer beyond the floats.
    if number is not None and not epoch_unit(unit):
        return _us_of_date_number(cell, number, unit)
    unit, written = epoch_unit(unit), unit
    if number is not None:
        scaled = number * UNITS_US[unit]
        if not abs(scaled) < FARTHEST_US:
            raise BadRow(
                f"occurred_at: got {quoted(cell)}, which is no time in the unit {unit!r}; "
                + unit_hint(number)
            )
        if isinstance(cell, str) and _is_rounded(cell.strip()):
            raise BadRow(
                f"occurred_at: got {quoted(cell)}, a number that a spreadsheet has rounded; write "
                "all of its digits"
            )
        return cell * int(UNITS_US[unit]) if whole and unit != "ns" else round(scaled)
    if isinstance(cell, str):
        try:
            return _us_of_datetime(datetime.fromisoformat(_UTC.sub("+00:00", cell.strip())))
        except (ValueError, OverflowError):
            pass
        if (moment := moment_of(cell, written)) is not None:
            return _us_of_datetime(moment)
    hint = ""
    if isinstance(cell, str) and day_or_month_first(cell):
        hint = (
            "; whether the day or the month comes first can't be told: --time-unit dmy or mdy "
            "says it"
        )
    raise BadRow(
        f"occurred_at: got {quoted(cell)}, expected ISO 8601, for example 2024-05-01T12:00:00Z, "
        f"or an epoch number{hint}"
    )


def _us_of_date_number(cell: Any, number: float, unit: str) -> int:
    """Microseconds since 1970 of a day of a spreadsheet, or of a date as one number."""
    if unit == EXCEL:
        at_us, what = us_of_day_number(number), "a day of a spreadsheet, such as 45413.5"
    else:
        moment = moment_of_number(number)
        at_us = None if moment is None else _us_of_datetime(moment)
        what = "a date as one number, such as 20240501"
    if at_us is None:
        raise BadRow(f"occurred_at: got {quoted(cell)}, expected {what}")
    return at_us


def unit_hint(number: float, unit: str = "") -> str:
    """Says in which unit an epoch number would be a time of this century.

    Empty if that is the unit it was read in: then the number itself is wrong.

    >>> unit_hint(1.7e12)
    'set the unit of epoch times: --time-unit ms makes it 2023-11-14'
    """
    for other, us in UNITS_US.items():
        seconds = number * us / 1e6
        if _YEAR_2001 <= seconds < _YEAR_2100:
            if other == unit:
                return ""
            day = datetime.fromtimestamp(seconds, UTC).date()
            return f"set the unit of epoch times: --time-unit {other} makes it {day}"
    return "set the unit of epoch times: --time-unit s, ms, us or ns"


def day_of(at_us: int) -> str:
    """Returns the day of a time in microseconds since 1970, in UTC; far ones as a year.

    >>> day_of(0), day_of(10**18)
    ('1970-01-01', 'the year 33659')
    """
    try:
        return str((_EPOCH + timedelta(microseconds=at_us)).date())
    except OverflowError:
        return f"the year {1970 + round(at_us / 31_556_952_000_000)}"


def has_half_a_surrogate_pair(text: str) -> bool:
    r"""Whether text can't be written as UTF-8, as JSON's `"\ud800"` can't."""
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def quoted(cell: Any) -> str:
    """Returns a cell as an error shows it, at most 60 characters."""
    text = repr(cell)
    return text if len(text) <= 60 else text[:57] + "..."


def printable(text: str) -> str:
    r"""Returns a text with escapes in the place of what a terminal can't show.

    >>> printable("a\x07b")
    'a\\x07b'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _is_rounded(text: str) -> bool:
    """Whether a number with an exponent lacks the last of its whole digits."""
    parts = _ROUNDED.fullmatch(text)
    return parts is not None and int(parts[2]) > len(parts[1] or "")


def _us_of_datetime(when: datetime) -> int:
    aware = when if when.utcoffset() is not None else when.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND
