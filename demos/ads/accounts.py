"""What a day made of each campaign, and whether its rules were kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from demos.ads.day import SimulatedImpression, most_in
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
    """The sum of the stated chances."""
    spent: Money
    by_hour: Float64
    """Share of the budget spent by the end of each hour, shape (24,)."""
    even: Float64
    """The same, if it were spent evenly over the hours that its day-parts leave."""
    hour_most: int
    """The most impressions to one reader within an hour."""
    day_most: int

    @property
    def off_pace(self) -> float:
        """The largest distance from even spend at the end of an hour, in shares of the budget."""
        return float(np.abs(self.by_hour - self.even).max())

    @property
    def hours_off(self) -> float:
        """The largest relative distance of one active hour's spend from the even hour's."""
        even = np.diff(self.even, prepend=0.0)
        spent = np.diff(self.by_hour, prepend=0.0)
        active = even > 0
        return float(np.abs(spent[active] / even[active] - 1).max())


def account(
    campaign: Campaign, impressions: Iterable[SimulatedImpression], midnight: datetime
) -> Account:
    """Adds up a campaign's day.

    Args:
        campaign: whose flight is the day.
        impressions: of all campaigns.
        midnight: when the day began.
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
        hour_most=most_in(own, HOUR_S),
        day_most=most_in(own, DAY_S),
    )


def broken_rules(accounts: Sequence[Account]) -> list[str]:
    """Rules that were not kept, in words; there should be none."""
    found = []
    for one in accounts:
        name = one.campaign.id
        if one.spent > one.campaign.budget:
            found.append(f"{name}: spent {one.spent} of {one.campaign.budget}")
        for cap in one.campaign.caps:
            window_s = one.campaign.window_s(cap)
            seen = one.hour_most if window_s == HOUR_S else one.day_most
            if seen > cap.limit:
                found.append(f"{name}: shown {seen} times to one reader, capped at {cap.limit}")
    return found
