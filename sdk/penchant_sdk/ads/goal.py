"""What a click is worth to a campaign that bids for sales.

>>> from penchant_sdk.ads.calibration import Conversions
>>> sales = Conversions({"tents": 0.05}, {"tents": 80.0}, any_chance=0.02, any_value=50.0)
>>> bid_for(TargetCpa(Money.of(20)), Money.of(3), "tents", sales)
Money(micros=1000000)
>>> bid_for(TargetRoas(4.0), Money.of(3), "tents", sales)
Money(micros=1000000)
"""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk._arguments import instance, real
from penchant_sdk.ads.calibration import Conversions
from penchant_sdk.ads.money import Money
from penchant_sdk.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class TargetCpa:
    """Bids so that one sale costs an amount on average: amount * P(sale | click)."""

    amount: Money

    def __post_init__(self) -> None:
        if not instance("goal: amount", self.amount, Money).micros:
            raise InvalidRequest("goal: amount: got 0, expected more")


@dataclass(frozen=True, slots=True)
class TargetRoas:
    """Bids so that sales are worth a multiple of their cost: P(sale | click) * value / ratio."""

    ratio: float
    """Return on ad spend: 4.0 is four of value for one of cost."""

    def __post_init__(self) -> None:
        ratio = real("goal: ratio", self.ratio)
        if not 1e-6 <= ratio <= 1e6:
            raise InvalidRequest(f"goal: ratio: got {ratio}, expected 0.000001 to 1,000,000")
        object.__setattr__(self, "ratio", ratio)


Goal = TargetCpa | TargetRoas
"""What a campaign pays for clicks by."""


def bid_for(goal: Goal | None, most: Money, campaign: str, sales: Conversions | None) -> Money:
    """The bid for one click.

    Args:
        goal: None: the bid is `most`.
        most: the campaign's bid, which no goal exceeds.
        campaign: the campaign's id.
        sales: chances and values of sales; None: not known, and the bid is `most`.
    """
    if goal is None or sales is None:
        return most
    chance, value = sales.expected(campaign)
    if isinstance(goal, TargetCpa):
        worth_micros = goal.amount.micros * chance
    else:
        worth_micros = chance * value * 1e6 / goal.ratio
    return Money(max(1, min(most.micros, round(worth_micros))))
