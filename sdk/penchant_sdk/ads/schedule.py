"""The hours in which a campaign runs, by its own clock, across changes of daylight saving time.

>>> from datetime import UTC, datetime
>>> from penchant_sdk.ads.campaign import DayPart, Flight
>>> from penchant_sdk.ads.money import Money
>>> march = Flight(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
>>> tea = Campaign("tea", "Tea", "T", march, Money.of(8), Money.of(1),
...     day_parts=(DayPart(0, 6),), time_zone="Europe/Amsterdam")
>>> sunday = day(tea, 1_000_000 * int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp()))
>>> sunday.date.isoformat(), active_us(tea, sunday.starts_at_us, sunday.ends_at_us) / 3.6e9
('2026-03-29', 5.0)
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from penchant_sdk._times import from_microseconds
from penchant_sdk.ads.campaign import Campaign, DayPart, Flight, Weekday, zone

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CampaignDay:
    """A day by a campaign's clock, as far as the flight covers it."""

    date: date
    starts_at_us: int
    """Midnight, or the flight's start if that is later."""
    ends_at_us: int
    """The next midnight, or the flight's end if that is earlier."""


def day(campaign: Campaign, at_us: int) -> CampaignDay:
    """The day that holds a moment of the flight; the nearest day for a moment outside of it."""
    flight = campaign.flight
    inside_us = min(max(at_us, flight.starts_at_us), flight.ends_at_us - 1)
    today = from_microseconds(inside_us).astimezone(zone(campaign.time_zone)).date()
    start, end = (_instant_us(one, 0, campaign.time_zone) for one in (today, today + _ONE_DAY))
    return CampaignDay(today, max(start, flight.starts_at_us), min(end, flight.ends_at_us))


def runs_at(campaign: Campaign, at_us: int) -> bool:
    """Whether a moment lies within one of the campaign's day-parts; True if it has none."""
    if not campaign.day_parts:
        return True
    spans = _spans(campaign.day_parts, campaign.time_zone, campaign.flight)
    place = bisect_right(spans.starts_at_us, at_us) - 1
    return place >= 0 and at_us < spans.ends_at_us[place]


def active_us(campaign: Campaign, from_us: int, until_us: int) -> int:
    """Microseconds between two moments of the flight that lie within the campaign's day-parts."""
    if not campaign.day_parts:
        return until_us - from_us
    spans = _spans(campaign.day_parts, campaign.time_zone, campaign.flight)
    return spans.active_before_us(until_us) - spans.active_before_us(from_us)


@dataclass(frozen=True, slots=True)
class _Spans:
    """The times in which a campaign runs, ascending and apart."""

    starts_at_us: tuple[int, ...]
    ends_at_us: tuple[int, ...]
    before_us: tuple[int, ...]
    """Active microseconds before each span."""

    def active_before_us(self, at_us: int) -> int:
        place = bisect_right(self.starts_at_us, at_us) - 1
        if place < 0:
            return 0
        return self.before_us[place] + min(at_us, self.ends_at_us[place]) - self.starts_at_us[place]


@lru_cache(maxsize=1024)
def _spans(day_parts: tuple[DayPart, ...], time_zone: str, flight: Flight) -> _Spans:
    """The spans that meet a flight. Cost: some microseconds for each of its days, once."""
    first, last = (
        from_microseconds(at_us).astimezone(zone(time_zone)).date()
        for at_us in (flight.starts_at_us, flight.ends_at_us)
    )
    hours_of = {weekday: _hours(day_parts, weekday) for weekday in Weekday}
    starts: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    active = 0
    for number in range((last - first).days + 1):
        today = first + number * _ONE_DAY
        for from_hour, until_hour in hours_of[Weekday(today.isoweekday())]:
            start = _instant_us(today, from_hour, time_zone)
            end = _instant_us(today, until_hour, time_zone)
            if start < end:  # Not so within an hour that the change to summer time skips.
                starts.append(start)
                ends.append(end)
                before.append(active)
                active += end - start
    return _Spans(tuple(starts), tuple(ends), tuple(before))


def _hours(day_parts: tuple[DayPart, ...], weekday: Weekday) -> list[tuple[int, int]]:
    """The ranges of hours of a day of the week, with overlapping and touching ones merged."""
    merged: list[tuple[int, int]] = []
    for part in sorted(day_parts, key=lambda part: part.from_hour):
        if part.weekdays and weekday not in part.weekdays:
            continue
        if merged and part.from_hour <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], part.until_hour))
        else:
            merged.append((part.from_hour, part.until_hour))
    return merged


def _instant_us(today: date, hour: int, time_zone: str) -> int:
    """The moment at which a day's hour begins, 0 to 24, in microseconds since 1970-01-01 UTC.

    An hour that the clock shows twice begins the first time; one that it skips begins, without any
    length, at the moment of the change.
    """
    days, hour = divmod(hour, 24)
    wall = datetime(today.year, today.month, today.day, hour) + days * _ONE_DAY
    local = wall.replace(tzinfo=zone(time_zone))
    moment = local.astimezone(UTC)
    if _wall(moment, time_zone) != wall:
        # Skipped: by the offset before the change it lies behind it, by the one after, before it.
        before = local.replace(fold=1).astimezone(UTC)
        while moment - before > timedelta(seconds=1):
            middle = before + (moment - before) // 2
            before, moment = (
                (before, middle) if _wall(middle, time_zone) > wall else (middle, moment)
            )
        moment = moment.replace(microsecond=0)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _wall(moment: datetime, time_zone: str) -> datetime:
    return moment.astimezone(zone(time_zone)).replace(tzinfo=None)
