"""Accounts of a day: what each campaign showed and spent, and whether its rules were kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from demos.ads.day import SimulatedImpression, most_within
from penchant.domain.arrays import Float64
from penchant_sdk.ads import Campaign, Money
from penchant_sdk.ads.pacing import allowed

HOUR_S, DAY_S = 3600, 86_400


@dataclass(frozen=True, slots=True)
class Account:
    """One campaign's day."""

    campaign: Campaign
    impressions: int
    clicks: int
    expected_clicks: float
    """Sum of the stated click probabilities."""
    spent: Money
    by_hour: Float64
    """Share of the budget spent by the end of each hour, shape (24,)."""
    even: Float64
    """Share of the budget allowed by the end of each hour at an even pace, shape (24,).

    The pace is even over the hours in which the campaign's day-parts let it run.
    """
    hour_most: int
    """Most impressions to one reader within any 3,600 seconds."""
    day_most: int
    """Most impressions to one reader in the day."""

    @property
    def off_pace(self) -> float:
        """Largest distance from even spending at the end of an hour, as a share of the budget."""
        return float(np.abs(self.by_hour - self.even).max())

    @property
    def hours_off(self) -> float:
        """Largest relative deviation of an active hour's spending from the even spending."""
        even = np.diff(self.even, prepend=0.0)
        spent = np.diff(self.by_hour, prepend=0.0)
        active = even > 0
        return float(np.abs(spent[active] / even[active] - 1).max())


def account(
    campaign: Campaign, impressions: Iterable[SimulatedImpression], midnight: datetime
) -> Account:
    """Adds up a campaign's day.

    Args:
        campaign: a campaign whose flight is the day.
        impressions: impressions of all campaigns.
        midnight: start of the day.
    """
    own = [one for one in impressions if one.decision.campaign == campaign.id]
    micros = np.zeros(24)
    for one in own:
        micros[int(one.at_s // HOUR_S)] += one.decision.price.micros
    ends = [
        allowed(campaign, int((midnight + timedelta(hours=hour)).timestamp() * 1e6))
        for hour in range(1, 25)
    ]
    budget = campaign.budget.micros
    return Account(
        campaign=campaign,
        impressions=len(own),
        clicks=sum(one.clicked for one in own),
        expected_clicks=sum(one.decision.click_probability for one in own),
        spent=Money(int(micros.sum())),
        by_hour=np.cumsum(micros) / budget,
        even=np.array([end.micros for end in ends]) / budget,
        hour_most=most_within(HOUR_S, own),
        day_most=most_within(DAY_S, own),
    )


def broken_rules(accounts: Sequence[Account]) -> list[str]:
    """Every budget and cap that was exceeded, in words; empty if the server did its job."""
    broken = []
    for one in accounts:
        name = one.campaign.id
        if one.spent > one.campaign.budget:
            broken.append(f"{name}: spent {one.spent} of {one.campaign.budget}")
        for cap in one.campaign.caps:
            window_s = one.campaign.window_s(cap)
            seen = one.hour_most if window_s == HOUR_S else one.day_most
            if seen > cap.limit:
                broken.append(f"{name}: shown {seen} times to one reader, capped at {cap.limit}")
    return broken
