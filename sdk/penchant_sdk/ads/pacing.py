"""Even pacing: a campaign may spend its budget in proportion to the time elapsed in its period.

The period is the flight, or each day by the campaign's clock. Only time within day-parts counts: an
evening campaign spends nothing by day, and its whole budget in the evenings. Exact to the
microsecond.

>>> from penchant_sdk.ads.campaign import DayPart, Flight
>>> from datetime import UTC, datetime
>>> june = Flight(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC))
>>> tea = Campaign("tea", "Tea", "T", june, Money.of(8), Money.of(1), day_parts=(DayPart(16, 20),))
>>> noon, five = (datetime(2026, 6, 1, hour, tzinfo=UTC) for hour in (12, 17))
>>> allowed(tea, 1_000_000 * int(noon.timestamp())), allowed(tea, 1_000_000 * int(five.timestamp()))
(Money(micros=0), Money(micros=2000000))
"""

from __future__ import annotations

from penchant_sdk.ads.campaign import Campaign, Flight, Per
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.schedule import CampaignDay, active_us, day
from penchant_sdk.reservations import Pace

WINDOW_S = 60
"""Seconds of the window within which a campaign's spending is bounded."""

CATCH_UP = 2
"""Most that a campaign spends within a window after a pause, in even shares of its budget."""


def allowed(campaign: Campaign, at_us: int) -> Money:
    """Most that a campaign may have spent by a moment, including an impression at that moment.

    Args:
        campaign: the campaign.
        at_us: the moment, in microseconds since 1970-01-01 UTC.

    Returns:
        Of the budget of the flight, or of the day: 0 before the period, all of it after, and a
        share rounded down in between. Always 0 if no time of the period lies within a day-part.
    """
    period = _period(campaign, at_us)
    until_us = min(max(at_us, period.starts_at_us), period.ends_at_us)
    gone = active_us(campaign, period.starts_at_us, until_us)
    whole = active_us(campaign, period.starts_at_us, period.ends_at_us)
    return Money(campaign.budget.micros * gone // whole if whole else 0)


def pace(campaign: Campaign, at_us: int) -> Pace:
    """How fast a campaign may catch up at a moment: at `CATCH_UP` times the even pace.

    What a pause has left over is then spent without a burst. Where not enough time is left for
    that, what is left of the budget is spread evenly over it. Only time within day-parts counts.

    Args:
        campaign: the campaign.
        at_us: the moment, in microseconds since 1970-01-01 UTC.
    """
    period = _period(campaign, at_us)
    until_us = min(max(at_us, period.starts_at_us), period.ends_at_us)
    whole_us = active_us(campaign, period.starts_at_us, period.ends_at_us)
    left_us = active_us(campaign, until_us, period.ends_at_us)
    window_us = WINDOW_S * 1_000_000
    total = campaign.budget.micros
    most = CATCH_UP * total * window_us // whole_us if whole_us else 0
    return Pace(WINDOW_S, min(most, total), total, left_us // 1_000_000)


def _period(campaign: Campaign, at_us: int) -> Flight | CampaignDay:
    return campaign.flight if campaign.budget_per is Per.FLIGHT else day(campaign, at_us)


def budget_key(campaign: Campaign, at_us: int) -> str:
    """The name under which the server counts the spending of a moment's period."""
    if campaign.budget_per is Per.FLIGHT:
        return campaign.id
    return f"{campaign.id}@{day(campaign, at_us).date.isoformat()}"
