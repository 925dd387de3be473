"""Even pacing: what may have been spent by now is the budget's share of the time gone by.

Only time that day-parts leave counts: a campaign of the evening spends nothing by day, and its
whole money in the evenings. Pure, and exact to the microsecond.

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
    """What may have been spent by a moment, an impression at that moment included.

    Args:
        campaign: whose money.
        at_us: microseconds since 1970-01-01 UTC.
        utc_offset: of the clock that day-parts go by.

    Returns:
        0 before the flight, the whole budget after it, and rounded down between; 0 for a campaign
        whose day-parts leave it no time.
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
    """Active time of all weeks before a moment, in microseconds after a Monday's midnight."""
    runs, before = _week(day_parts)
    hours, rest_us = divmod(local_us, _HOUR_US)
    weeks, hour = divmod(hours, _WEEK_HOURS)
    whole_hours = weeks * before[-1] + before[hour]
    return whole_hours * _HOUR_US + (rest_us if runs[hour] else 0)


@lru_cache(maxsize=1024)
def _week(day_parts: tuple[DayPart, ...]) -> tuple[tuple[bool, ...], tuple[int, ...]]:
    """Whether each of the 168 hours is active, and how many are before each hour and the end."""
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
