"""Laws of even pacing, and of the campaign's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from penchant_sdk._times import from_microseconds, to_microseconds
from penchant_sdk.ads import Campaign, DayPart, Flight, Money, Per, Weekday
from penchant_sdk.ads.eligibility import Ineligible, why_not
from penchant_sdk.ads.moment import moment_of
from penchant_sdk.ads.pacing import allowed, budget_key
from penchant_sdk.ads.schedule import day, runs_at
from penchant_sdk.ads.types import AdContext, Size, Slot
from tests.unit.sdk.ads.campaigns import DAY, MONDAY, campaign, campaigns, moments, parts, zones

SLOT = Slot("home", Size(300, 250))
HOUR_US = 3_600_000_000


def at(year: int, month: int, day_: int, hour: int, minute: int = 0) -> int:
    return to_microseconds(datetime(year, month, day_, hour, minute, tzinfo=UTC), "at")


@given(campaigns, moments, moments)
def test_what_is_allowed_grows_from_nothing_to_the_budget_of_its_period(
    one: Campaign, first: object, second: object
) -> None:
    early, late = sorted(to_microseconds(when, "at") for when in (first, second))
    if budget_key(one, early) == budget_key(one, late):
        assert allowed(one, early) <= allowed(one, late) <= one.budget
    assert allowed(one, one.flight.starts_at_us) == Money(0)
    at_end = allowed(one, one.flight.ends_at_us)
    assert at_end in (one.budget, Money(0))
    assert allowed(one, one.flight.ends_at_us + HOUR_US) == at_end


@given(parts, st.integers(0, 23), st.sampled_from([Per.FLIGHT, Per.DAY]))
def test_each_active_hour_of_a_day_is_allowed_the_same_and_others_nothing(
    day_parts: tuple[DayPart, ...], hour: int, per: Per
) -> None:
    budget = Money(24 * 23 * 22 * 10_000)
    one = campaign(day_parts=day_parts, budget=budget, budget_per=per)
    start = DAY.starts_at_us + hour * HOUR_US
    gained = allowed(one, start + HOUR_US - 1).micros - allowed(one, start).micros
    active = [
        number
        for number in range(24)
        if not day_parts
        or any(
            part.from_hour <= number < part.until_hour
            and (not part.weekdays or Weekday.MONDAY in part.weekdays)
            for part in day_parts
        )
    ]
    assume(active)
    even = one.budget.micros / len(active) if hour in active else 0
    assert abs(gained - even) <= 1


@given(campaigns, st.integers(0, 999))
def test_money_is_released_just_when_day_parts_let_the_campaign_run(
    one: Campaign, share: int
) -> None:
    length_us = one.flight.ends_at_us - one.flight.starts_at_us
    at_us = one.flight.starts_at_us + length_us * share // 1000
    moment = moment_of(SLOT, AdContext(at=from_microseconds(at_us)))
    rich = campaign(
        budget=Money(10**17), flight=one.flight, day_parts=one.day_parts, time_zone=one.time_zone
    )  # A microsecond is worth some.
    assume(allowed(rich, one.flight.ends_at_us) > Money(0))
    grows = allowed(rich, at_us + 1) > allowed(rich, at_us)
    assert grows == (why_not(rich, SLOT, moment) is None)


CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Amsterdam to summer time, and back in October.
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York.
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe, by half an hour.
    datetime(2026, 4, 4, 15, tzinfo=UTC),
)


@given(parts, zones, st.sampled_from(CHANGES), st.integers(-36 * 60, 36 * 60))
def test_a_campaign_runs_just_when_the_clock_on_its_wall_says_so(
    day_parts: tuple[DayPart, ...], time_zone: str, change: datetime, minutes: int
) -> None:
    moment = change + timedelta(minutes=minutes)
    flight = Flight(change - timedelta(days=3), change + timedelta(days=3))
    wall = moment.astimezone(ZoneInfo(time_zone))
    shown = not day_parts or any(
        part.from_hour <= wall.hour < part.until_hour
        and (not part.weekdays or wall.isoweekday() in part.weekdays)
        for part in day_parts
    )
    one = campaign(flight=flight, day_parts=day_parts, time_zone=time_zone)
    assert runs_at(one, to_microseconds(moment, "at")) == shown
    assert day(one, to_microseconds(moment, "at")).date == wall.date()


def test_half_the_day_is_half_the_money() -> None:
    noon_us = to_microseconds(MONDAY + timedelta(hours=12), "at")
    assert allowed(campaign(), noon_us) == Money.of(50)
    evening = campaign(day_parts=(DayPart(18, 24),))
    assert allowed(evening, noon_us) == Money(0)
    # In Tokyo it is 21:00 of that day.
    there = campaign(day_parts=(DayPart(18, 24),), time_zone="Asia/Tokyo")
    assert Money.of(0) < allowed(there, noon_us) < Money.of(100)


def test_a_day_of_23_hours_and_one_of_25_each_spend_their_whole_budget_evenly() -> None:
    year = Flight(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    daily = campaign(
        flight=year, budget=Money(2300 * 25), budget_per=Per.DAY, time_zone="Europe/Amsterdam"
    )
    # Midnight in Amsterdam is 23:00 UTC of the day before in winter, 22:00 in summer.
    assert allowed(daily, at(2026, 3, 28, 23)) == Money(0)
    assert allowed(daily, at(2026, 3, 29, 0)) == Money(2500)
    assert allowed(daily, at(2026, 3, 29, 21)) == Money(2500 * 22)
    assert allowed(daily, at(2026, 3, 29, 22)) == Money(0)
    assert allowed(daily, at(2026, 10, 25, 0)) == Money(2300 * 2)
    assert allowed(daily, at(2026, 10, 25, 22)) == Money(2300 * 24)
    assert budget_key(daily, at(2026, 3, 29, 21, 59)) == "tents@2026-03-29"
    assert budget_key(daily, at(2026, 3, 29, 22)) == "tents@2026-03-30"


def test_the_readers_hour_moves_neither_day_parts_nor_money() -> None:
    late = campaign(day_parts=(DayPart(20, 22),))
    noon, evening = (MONDAY + timedelta(hours=hour) for hour in (12, 21))
    for hour in (None, 3, 20):
        here = moment_of(SLOT, AdContext(at=noon, hour=hour))
        assert why_not(late, SLOT, here) is Ineligible.DAY_PART
        there = moment_of(SLOT, AdContext(at=evening, hour=hour))
        assert why_not(late, SLOT, there) is None
        assert allowed(late, there.at_us) == Money.of(50)


def test_a_day_that_the_calendar_skipped_has_no_length() -> None:
    flight = Flight(datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 3, tzinfo=UTC))
    samoa = campaign(
        flight=flight, day_parts=(DayPart(5, 7),), time_zone="Pacific/Apia", budget=Money(500)
    )
    # The mornings of 28, 29 and 31 December and of 1, 2 and 3 January by Samoa's clock.
    assert [runs_at(samoa, at(2011, 12, 30, hour)) for hour in (14, 15, 16, 17)] == [
        False,
        True,
        True,
        False,
    ]
    assert day(samoa, at(2011, 12, 30, 15)).date.isoformat() == "2011-12-31"


def test_each_rule_refuses_by_its_own_reason() -> None:
    slot = Slot("home", Size(300, 250), blocked_categories=frozenset({"alcohol"}))
    moment = moment_of(slot, AdContext(at=MONDAY + timedelta(hours=8), device="phone"))
    tuesday = DayPart(0, 24, frozenset({Weekday.TUESDAY}))
    later = type(DAY)(MONDAY + timedelta(hours=9), MONDAY + timedelta(hours=10))
    assert why_not(campaign(), slot, moment) is None
    assert why_not(campaign(flight=later), slot, moment) is Ineligible.FLIGHT
    assert why_not(campaign(day_parts=(tuesday,)), slot, moment) is Ineligible.DAY_PART
    wine = campaign(categories=frozenset({"wine", "alcohol"}))
    assert why_not(wine, slot, moment) is Ineligible.BLOCKED
