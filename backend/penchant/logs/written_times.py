"""Times as files write them besides ISO 8601 and epoch numbers.

What can be read by itself is: the year first with slashes, RFC 2822 and the form of C's `ctime`.
What can't, days of a spreadsheet, dates as one number and dates with the day or the month first, is
read only where somebody or the whole column says which it is; see `told_forms`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNITS_US = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
"""Microseconds in one unit of an epoch time."""

AUTO, EXCEL, YMD, DMY, MDY = "auto", "excel", "ymd", "dmy", "mdy"
"""How times are written: as the whole column says; days of a spreadsheet; dates as one number such
as 20240501; the day first; the month first."""

TIME_UNITS = (AUTO, *UNITS_US, EXCEL, YMD, DMY, MDY)
"""What `--time-unit` takes."""

_DAY_US = 86_400_000_000.0
_EXCEL_1970 = 25_569
"""1 January 1970 as a day of a spreadsheet, of which day 1 is 1 January 1900."""
_EXCEL_END = 2_958_466
"""The day of a spreadsheet after 31 December 9999."""

_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(.*)")
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T,]+(.+))?")
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s*(?:([AaPp])\.?[Mm]\.?)?"
)
_RFC_2822 = re.compile(
    r"(?:[A-Z][a-z]{2},\s*)?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(:\d{2})?"
    r"( GMT| UTC| UT| Z| [+-]\d{4})?"
)
_CTIME = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} ([+-]\d{4} )?\d{4}")
_COMMA_NUMBER = re.compile(r"\d{5,},\d+")


def epoch_unit(unit: str) -> str:
    """The unit of epoch numbers in a column; empty: its numbers are none.

    >>> epoch_unit("ms"), epoch_unit("auto"), epoch_unit("excel")
    ('ms', 's', '')
    """
    if unit in UNITS_US:
        return unit
    return "" if unit in (EXCEL, YMD) else "s"


def with_point(text: str) -> str:
    """A number of five digits and more with a decimal comma, written with a point.

    >>> with_point("1772324326,268"), with_point("1,500")
    ('1772324326.268', '1,500')
    """
    return text.replace(",", ".") if _COMMA_NUMBER.fullmatch(text.strip()) else text


def us_of_day_number(number: float) -> int | None:
    """Microseconds since 1970 of a day of a spreadsheet; None: it is none.

    >>> us_of_day_number(45413.5)
    1714564800000000
    """
    return round((number - _EXCEL_1970) * _DAY_US) if 1 <= number < _EXCEL_END else None


def moment_of_number(number: float) -> datetime | None:
    """The time of a date that is written as one number; None: it is none.

    >>> moment_of_number(20240501)
    datetime.datetime(2024, 5, 1, 0, 0)
    """
    digits = f"{number:.0f}"
    if (
        not float(number).is_integer()
        or len(digits) not in _COMPACT
        or not 1900 <= int(digits[:4]) < 2100
    ):
        return None
    try:
        return datetime.strptime(digits, _COMPACT[len(digits)])
    except ValueError:
        return None


def moment_of(text: str, unit: str = "") -> datetime | None:
    """The time of a text; None: it is none, or can't be told.

    Args:
        text: anything but ISO 8601.
        unit: `DMY` or `MDY`, if that is what comes first.

    >>> moment_of("2026/3/1 00:18"), moment_of("31.03.2026"), moment_of("31.03.2026", "dmy")
    (datetime.datetime(2026, 3, 1, 0, 18), None, datetime.datetime(2026, 3, 31, 0, 0))
    """
    text = text.strip()
    try:
        if found := _YEAR_FIRST.fullmatch(text):
            year, month, day, rest = found.groups()
            return datetime.fromisoformat(f"{year}-{int(month):02}-{int(day):02}{rest}")
        if _RFC_2822.fullmatch(text):
            return parsedate_to_datetime(text)
        if _CTIME.fullmatch(text):
            form = "%a %b %d %H:%M:%S %z %Y" if "+" in text or "-" in text else "%c"
            return datetime.strptime(" ".join(text.split()), form.replace("%c", _C_TIME))
        if unit in (DMY, MDY) and (parts := day_or_month_first(text)):
            one, two, year = parts
            day, month = (one, two) if unit == DMY else (two, one)
            return _at_clock(datetime(year, month, day), text)
    except ValueError:
        pass
    return None


_C_TIME = "%a %b %d %H:%M:%S %Y"


def day_or_month_first(text: str) -> tuple[int, int, int] | None:
    """The first number, the second and the year of a date with the day or the month first.

    Two digits of a year are of 2000 to 2099.

    >>> day_or_month_first("31.03.2026 00:18"), day_or_month_first("2026-03-31")
    ((31, 3, 2026), None)
    """
    found = _DAY_OR_MONTH_FIRST.fullmatch(text.strip())
    if found is None:
        return None
    year = int(found[4])
    return int(found[1]), int(found[3]), year if year > 99 else 2000 + year


def _at_clock(day: datetime, text: str) -> datetime | None:
    """A day at the time of the clock that stands behind it in a text; None: it is none."""
    found = _DAY_OR_MONTH_FIRST.fullmatch(text)
    clock = found[5] if found else None
    if not clock:
        return day
    for zone in ("UTC", "GMT", "Z"):
        if clock.endswith(zone):
            clock, day = clock.removesuffix(zone).strip(), day.replace(tzinfo=UTC)
    parts = _CLOCK.fullmatch(clock)
    if parts is None:
        return None
    hour, half = int(parts[1]), (parts[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    micros = int((parts[4] or "0").ljust(6, "0"))
    return day.replace(
        hour=hour, minute=int(parts[2]), second=int(parts[3] or 0), microsecond=micros
    )
