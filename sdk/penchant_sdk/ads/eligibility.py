"""Which campaigns may be shown in a slot at a moment: pure, and each refusal has its reason."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from penchant_sdk.ads.campaign import Campaign, DayPart, TargetingRule
from penchant_sdk.ads.moment import Moment
from penchant_sdk.ads.types import Slot


class Ineligible(Enum):
    """Why a campaign can't be shown, whatever its caps and budget say."""

    FLIGHT = "flight"
    """It has not begun, or is over."""
    DAY_PART = "day_part"
    """Not at this hour of this day."""
    TARGETING = "targeting"
    """A rule does not hold."""
    BLOCKED = "blocked"
    """The slot blocks one of its categories."""


def why_not(campaign: Campaign, slot: Slot, moment: Moment) -> Ineligible | None:
    """The first reason why a campaign can't be shown; None: it can."""
    if not campaign.flight.starts_at_us <= moment.at_us < campaign.flight.ends_at_us:
        return Ineligible.FLIGHT
    if campaign.day_parts and not any(_runs(part, moment) for part in campaign.day_parts):
        return Ineligible.DAY_PART
    if not all(_holds(rule, moment) for rule in campaign.targeting):
        return Ineligible.TARGETING
    if campaign.categories & slot.blocked_categories:
        return Ineligible.BLOCKED
    return None


def eligible(campaigns: Iterable[Campaign], slot: Slot, moment: Moment) -> list[Campaign]:
    """Those that can be shown, in their order."""
    return [campaign for campaign in campaigns if why_not(campaign, slot, moment) is None]


def _runs(part: DayPart, moment: Moment) -> bool:
    today = not part.weekdays or moment.weekday in part.weekdays
    return today and part.from_hour <= moment.hour < part.until_hour


def _holds(rule: TargetingRule, moment: Moment) -> bool:
    return (moment.keys.get(rule.key) in rule.values) != rule.excluded
