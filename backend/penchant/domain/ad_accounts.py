"""What a campaign reserved and was charged: the sums behind a reconciliation.

>>> first = AdAccount(reserved=2, confirmed=1, reserved_micros=20, charged_micros=10)
>>> (first + AdAccount(reserved=1, open=1, reserved_micros=10)).lapsed
1
>>> campaign_of("shoes@2026-03-29", "ad-7"), campaign_of("shoes", "ad-7"), campaign_of("", "ad-7")
('shoes', 'shoes', 'ad-7')
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DAILY = re.compile(r"(?s)(.+)@\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, order=True)
class AdAccountKey:
    """An account: one campaign, one day by its clock, and one budget."""

    campaign: str
    day: str
    """As in `2026-03-29`; empty: not known, since an older release charged it."""
    budget: int
    """Digest of the budget's key; 0: none."""


@dataclass(frozen=True, slots=True)
class AdAccount:
    """Sums of one account. Every reservation is confirmed, open or lapsed."""

    reserved: int = 0
    """Reservations."""
    confirmed: int = 0
    """Those whose impression was shown, in time or late."""
    open: int = 0
    """Those that may still be shown in time."""
    reserved_micros: int = 0
    """Cost of all reservations, in millionths of the currency."""
    charged_micros: int = 0
    """Cost of those that were confirmed."""

    @property
    def lapsed(self) -> int:
        """Reservations that were given back."""
        return self.reserved - self.confirmed - self.open

    def __add__(self, other: AdAccount) -> AdAccount:
        return AdAccount(
            self.reserved + other.reserved,
            self.confirmed + other.confirmed,
            self.open + other.open,
            self.reserved_micros + other.reserved_micros,
            self.charged_micros + other.charged_micros,
        )


def campaign_of(budget: str, item: str) -> str:
    """The campaign of an impression: that of its budget, whose key may end with a day, or the item.

    Args:
        budget: the budget's key; empty: none.
        item: the item shown.
    """
    daily = _DAILY.fullmatch(budget)
    return daily[1] if daily else budget or item
