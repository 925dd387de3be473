"""Cells of a row to text, numbers and times; what does not fit is said in one line."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

UNITS_US = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
"""Microseconds in one unit of an epoch time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadRow(ValueError):
    """A row that can't be taken; the text says why.

    >>> str(BadRow("item: missing"))
    'item: missing'
    """


def is_missing(cell: Any) -> bool:
    """Whether a cell holds nothing: null, empty text, or a float that is not a number."""
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def text_of(cell: Any) -> str:
    """A cell as text; a whole number has no decimals, and a list or object is JSON.

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
    """A cell as a finite number; None where it holds nothing.

    >>> number_of(" 4.5"), number_of(""), number_of(3)
    (4.5, None, 3.0)
    """
    if is_missing(cell):
        return None
    try:
        if isinstance(cell, (str, int, float, Decimal)) and not isinstance(cell, bool):
            number = float(cell)
            if math.isfinite(number):
                return number
    except (ValueError, OverflowError):
        pass
    raise BadRow(f"value: got {_short(cell)}, expected a finite number")


def time_us_of(cell: Any, unit: str) -> int:
    """A cell as microseconds since 1970: a datetime, ISO 8601 text, or an epoch number.

    A time without a zone is taken as UTC.

    >>> time_us_of("1.5", "s"), time_us_of("1970-01-01T01:00:00+01:00", "s"), time_us_of(7, "ms")
    (1500000, 0, 7000)
    """
    if isinstance(cell, datetime):
        return _of_datetime(cell)
    if isinstance(cell, date):
        return _of_datetime(datetime.combine(cell, time()))
    if isinstance(cell, int) and not isinstance(cell, bool):
        return round(cell * UNITS_US[unit]) if unit == "ns" else cell * int(UNITS_US[unit])
    try:
        number = number_of(cell)
    except BadRow:
        number = None
    if number is not None:
        return round(number * UNITS_US[unit])
    if isinstance(cell, str):
        try:
            return _of_datetime(datetime.fromisoformat(cell.strip()))
        except ValueError:
            pass
    raise BadRow(
        f"occurred_at: got {_short(cell)}, expected ISO 8601, for example 2024-05-01T12:00:00Z, "
        "or an epoch number"
    )


def _of_datetime(when: datetime) -> int:
    aware = when if when.utcoffset() is not None else when.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def _short(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else text[:57] + "..."
