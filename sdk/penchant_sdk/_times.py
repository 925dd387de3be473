"""Times on the wire: microseconds since 1970-01-01 UTC, to and from Python's types.

>>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "occurred_at")
1000000
>>> from_microseconds(1_000_000).isoformat()
'1970-01-01T00:00:01+00:00'
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from penchant_sdk._arguments import Refusal, as_float, as_integer, shown
from penchant_sdk.errors import InvalidEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**63 - 1
_EXPECTED = "expected a datetime with a time zone or epoch seconds"


def to_microseconds(when: object, name: str, error: Refusal = InvalidEvent) -> int:
    """Converts a time to microseconds since 1970-01-01 UTC.

    Args:
        when: a datetime with a time zone, pandas' included, or epoch seconds, NumPy's included.
        name: name of the argument, for the error text.
        error: class of the refusal.

    Raises:
        PenchantError: of the class `error`: the datetime is naive, the value is not a time
            (pandas' and NumPy's `NaT`) or not finite, or the result exceeds 64 bits.
    """
    if isinstance(when, datetime):
        return _of_datetime(when, name, error)
    seconds = as_integer(when)
    if seconds is not None:
        found = seconds * 1_000_000
    else:
        number = as_float(when)
        if number is None or not math.isfinite(number):
            naive = " without a time zone" if type(when).__name__ == "datetime64" else ""
            raise error(f"{name}: got {shown(when)}{naive}, {_EXPECTED}")
        found = round(number * 1e6) if abs(number) < 2**63 else _LARGEST + 1
    if abs(found) > _LARGEST:
        raise error(f"{name}: got {shown(when)}, {_EXPECTED}; is it in another unit?")
    return found


def _of_datetime(when: datetime, name: str, error: Refusal) -> int:
    try:
        naive = when.utcoffset() is None
    except ValueError:  # pandas' NaT, which is a datetime.
        raise error(f"{name}: got {when!r}, {_EXPECTED}") from None
    if naive:
        raise error(
            f"{name}: got the naive datetime {when.isoformat()}, expected a time zone, "
            "for example datetime.now(timezone.utc)"
        )
    return (when - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Converts microseconds since 1970-01-01 UTC to a UTC datetime, exactly."""
    return _EPOCH + timedelta(microseconds=microseconds)
