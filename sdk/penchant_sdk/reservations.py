"""Impressions reserved under caps and budgets before they are made: what goes in, what comes back.

>>> option = ReserveOption(
...     item="ad-7",
...     caps=[Cap("campaign-3", limit=3, window_s=3600)],
...     budget=Budget("campaign-3", cost_micros=1_500, allowed_micros=2_000_000),
... )
>>> option.caps[0].limit
3
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many impressions of what the key names, for one user, in any such stretch."""

    key: str
    """What is counted, for example a campaign. 1 to 256 bytes."""
    limit: int
    """1 or more."""
    window_s: int
    """The stretch of time, in seconds. 1 to 31,536,000."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Money that impressions spend, over all users."""

    key: str
    """Whose money, for example a campaign. 1 to 256 bytes."""
    cost_micros: int
    """What this impression costs, in millionths of the currency. 0 or more."""
    allowed_micros: int
    """What may have been spent by now, this impression included: the budget, or what pacing allows
    of it so far."""


@dataclass(frozen=True, slots=True)
class ReserveOption:
    """One impression that may be made."""

    item: str
    """An item of the catalog."""
    caps: Sequence[Cap] = ()
    """All must hold. At most 16."""
    budget: Budget | None = None
    """None: free."""


class UnreservedReason(Enum):
    """Why an option can't be had."""

    CAPPED = "capped"
    """A cap of this user is reached."""
    BUDGET = "budget"
    """The allowed part of the budget is spent."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """An impression that may be made until it lapses."""

    item: str
    lapses_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class Unreserved:
    """An option that can't be had."""

    item: str
    reason: UnreservedReason


@dataclass(frozen=True, slots=True)
class Reservations:
    """What was reserved, in the order of the options."""

    reserved: tuple[Reservation, ...]
    refused: tuple[Unreserved, ...]
    """Every option that caps or budgets forbid; the others were not needed."""

    @property
    def items(self) -> tuple[str, ...]:
        """The items that may be shown."""
        return tuple(one.item for one in self.reserved)
