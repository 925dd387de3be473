"""Laws of even pacing."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from penchant_sdk._times import from_microseconds, to_microseconds
from penchant_sdk.ads import Campaign, DayPart, Money, Weekday
from penchant_sdk.ads.eligibility import Ineligible, why_not
from penchant_sdk.ads.moment import moment_of
from penchant_sdk.ads.pacing import allowed
from penchant_sdk.ads.types import AdContext, Size, Slot
from tests.unit.sdk.ads.campaigns import DAY, MONDAY, campaign, campaigns, moments, parts

OFFSETS = st.integers(-14, 14).map(lambda hours: timedelta(hours=hours))
HOUR_US = 3_600_000_000


@given(campaigns, moments, moments, OFFSETS)
def test_what_is_allowed_grows_from_nothing_to_the_budget(
    one: Campaign, first: object, second: object, offset: timedelta
) -> None:
    early, late = sorted(to_microseconds(when, "at") for when in (first, second))
    assert allowed(one, early, offset) <= allowed(one, late, offset) <= one.budget
    assert allowed(one, one.flight.starts_at_us, offset) == Money(0)
    at_end = allowed(one, one.flight.ends_at_us, offset)
    assert at_end in (one.budget, Money(0))
    assert allowed(one, one.flight.ends_at_us + HOUR_US, offset) == at_end


@given(parts, st.integers(0, 23))
def test_each_active_hour_of_a_day_is_allowed_the_same_and_others_nothing(
    day_parts: tuple[DayPart, ...], hour: int
) -> None:
    one = campaign(day_parts=day_parts, budget=Money(24 * 23 * 22 * 10_000))
    start = DAY.starts_at_us + hour * HOUR_US
    gained = allowed(one, start + HOUR_US).micros - allowed(one, start).micros
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


@given(campaigns, st.integers(0, 999), OFFSETS)
def test_money_is_released_just_when_day_parts_let_the_campaign_run(
    one: Campaign, share: int, offset: timedelta
) -> None:
    slot = Slot("home", Size(300, 250), utc_offset=offset)
    length_us = one.flight.ends_at_us - one.flight.starts_at_us
    at = from_microseconds(one.flight.starts_at_us + length_us * share // 1000)
    moment = moment_of(slot, AdContext(at=at))
    rich = campaign(
        budget=Money(10**17), flight=one.flight, day_parts=one.day_parts
    )  # A microsecond is worth some.
    assume(allowed(rich, one.flight.ends_at_us, offset) > Money(0))
    grows = allowed(rich, moment.at_us + 1, offset) > allowed(rich, moment.at_us, offset)
    assert grows == (why_not(rich, slot, moment) is None)


def test_half_the_day_is_half_the_money() -> None:
    noon_us = to_microseconds(MONDAY + timedelta(hours=12), "at")
    assert allowed(campaign(), noon_us) == Money.of(50)
    evening = campaign(day_parts=(DayPart(18, 24),))
    assert allowed(evening, noon_us) == Money(0)
    # Where the slot's clock is nine hours ahead, it is 21:00 of that day.
    assert Money.of(0) < allowed(evening, noon_us, timedelta(hours=9)) < Money.of(100)


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
