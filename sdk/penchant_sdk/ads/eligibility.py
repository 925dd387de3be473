"""Which campaigns are eligible for a slot at a moment, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from penchant_sdk.ads.campaign import Campaign, TargetingRule
from penchant_sdk.ads.moment import Moment
from penchant_sdk.ads.schedule import runs_at
from penchant_sdk.ads.types import Slot


class Ineligible(Enum):
    """Why a campaign is not eligible, regardless of its caps and budget."""

    FLIGHT = "flight"
    """The flight has not started, or has ended."""
    DAY_PART = "day_part"
    """No day-part covers the moment, by the campaign's clock."""
    TARGETING = "targeting"
    """A targeting rule does not hold."""
    BLOCKED = "blocked"
    """The slot blocks one of the campaign's categories."""


def why_not(campaign: Campaign, slot: Slot, moment: Moment) -> Ineligible | None:
    """The first reason why a campaign is not eligible; None if it is."""
    if not campaign.flight.starts_at_us <= moment.at_us < campaign.flight.ends_at_us:
        return Ineligible.FLIGHT
    if not runs_at(campaign, moment.at_us):
        return Ineligible.DAY_PART
    if not all(_holds(rule, moment) for rule in campaign.targeting):
        return Ineligible.TARGETING
    if campaign.categories & slot.blocked_categories:
        return Ineligible.BLOCKED
    return None


def eligible(campaigns: Iterable[Campaign], slot: Slot, moment: Moment) -> list[Campaign]:
    """The eligible campaigns, in their order."""
    return [campaign for campaign in campaigns if why_not(campaign, slot, moment) is None]


def _holds(rule: TargetingRule, moment: Moment) -> bool:
    return (moment.keys.get(rule.key) in rule.values) != rule.excluded
