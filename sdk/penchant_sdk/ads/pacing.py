"""Even pacing: a campaign may spend its budget in proportion to the time elapsed in its flight.

Only hours within its day-parts count: an evening campaign spends nothing by day, and its whole
budget in the evenings. Exact to the microsecond.

>>> from penchant_sdk.ads.campaign import DayPart, Flight
>>> from datetime import UTC, datetime
>>> day = Flight(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC))
>>> tea = Campaign("tea", "Tea", "T", day, Money.of(8), Money.of(1), day_parts=(DayPart(16, 20),))
>>> noon, five = (datetime(2026, 6, 1, hour, tzinfo=UTC) for hour in (12, 17))
>>> allowed(tea, 1_000_000 * int(noon.timestamp())), allowed(tea, 1_000_000 * int(five.timestamp()))
(Money(micros=0), Money(micros=2000000))
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from itertools import accumulate

from penchant_sdk.ads.campaign import Campaign, DayPart, Weekday
from penchant_sdk.ads.money import Money

_HOUR_US = 3_600_000_000
_WEEK_HOURS = 168
_MONDAY_US = 4 * 24 * _HOUR_US
"""1970-01-05, the first Monday after the epoch."""


def allowed(campaign: Campaign, at_us: int, utc_offset: timedelta = timedelta(0)) -> Money:
    """Most that a campaign may have spent by a moment, including an impression at that moment.

    Args:
        campaign: the campaign.
        at_us: the moment, in microseconds since 1970-01-01 UTC.
        utc_offset: offset from UTC of the local time that day-parts refer to.

    Returns:
        0 before the flight, the whole budget after it, and a share rounded down in between. Always
        0 if no hour of the flight lies within a day-part.
    """
    flight = campaign.flight
    until_us = min(max(at_us, flight.starts_at_us), flight.ends_at_us)
    shift_us = utc_offset // timedelta(microseconds=1) - _MONDAY_US
    gone, whole = (
        _active_us(campaign.day_parts, end + shift_us)
        - _active_us(campaign.day_parts, flight.starts_at_us + shift_us)
        for end in (until_us, flight.ends_at_us)
    )
    return Money(campaign.budget.micros * gone // whole if whole else 0)


def _active_us(day_parts: tuple[DayPart, ...], local_us: int) -> int:
    """Active microseconds before a local time, counted from the first Monday after the epoch."""
    runs, before = _week(day_parts)
    hours, rest_us = divmod(local_us, _HOUR_US)
    weeks, hour = divmod(hours, _WEEK_HOURS)
    whole_hours = weeks * before[-1] + before[hour]
    return whole_hours * _HOUR_US + (rest_us if runs[hour] else 0)


@lru_cache(maxsize=1024)
def _week(day_parts: tuple[DayPart, ...]) -> tuple[tuple[bool, ...], tuple[int, ...]]:
    """For each of a week's 168 hours: is it active, and how many active hours precede it."""
    runs = tuple(
        not day_parts
        or any(
            (not part.weekdays or weekday in part.weekdays)
            and part.from_hour <= hour < part.until_hour
            for part in day_parts
        )
        for weekday in Weekday
        for hour in range(24)
    )
    return runs, tuple(accumulate(runs, initial=0))
