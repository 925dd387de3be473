"""Arguments and results of `reserve`: impressions reserved under caps and budgets.

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
    """A limit on the impressions under one key for one user, in every window of time."""

    key: str
    """Name under which impressions are counted, for example a campaign's. 1 to 256 bytes."""
    limit: int
    """Most impressions within the window, 1 or more."""
    window_s: int
    """Length of the sliding window in seconds, 1 to 31,536,000."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A limit on how fast a budget is spent, so that a pause is not followed by a burst.

    The first reservation within a window is always permitted.
    """

    window_s: int
    """Length of the sliding window in seconds, 5 to 60."""
    window_micros: int
    """Most that is reserved within every window in millionths of the currency, unless an even
    spread of what is left is more. Reservations count whether or not they lapse."""
    total_micros: int
    """The whole budget of the period in millionths of the currency. What of it is not yet spent may
    be spread evenly over the seconds that are left."""
    left_s: int
    """Seconds that are left of the period."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on the money that impressions under one key spend, over all users."""

    key: str
    """Name under which spend is counted, for example a campaign's. 1 to 256 bytes."""
    cost_micros: int
    """Cost of this impression in millionths of the currency, 0 or more."""
    allowed_micros: int
    """Most that may be spent by now in millionths of the currency, this impression included: the
    whole budget, or the part that pacing has released."""
    pace: Pace | None = None
    """None: as fast as `allowed_micros` permits."""


@dataclass(frozen=True, slots=True)
class ReserveOption:
    """One impression to reserve if its caps and its budget allow it."""

    item: str
    """Id of an item in the catalog."""
    caps: Sequence[Cap] = ()
    """Caps that must all hold, at most 16."""
    budget: Budget | None = None
    """None: the impression is free."""


class UnreservedReason(Enum):
    """Why an option was refused."""

    CAPPED = "capped"
    """The user has reached a cap."""
    BUDGET = "budget"
    """The allowed part of the budget is spent."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reserved impression, to be shown before it lapses."""

    item: str
    lapses_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class Unreserved:
    """An option that caps or budget forbid."""

    item: str
    reason: UnreservedReason


@dataclass(frozen=True, slots=True)
class Reservations:
    """Result of `reserve`."""

    reserved: tuple[Reservation, ...]
    """The reservations, in the order of the options."""
    refused: tuple[Unreserved, ...]
    """Every option that caps or budgets forbid. Options in neither tuple were not needed."""

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of the reserved items."""
        return tuple(one.item for one in self.reserved)
