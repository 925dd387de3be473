"""The types of reserving: options under caps and budgets in, reservations and refusals out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Cap:
    """A frequency cap: at most `limit` impressions under a key in any `window_s` seconds."""

    key: str
    limit: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a budget may be spent: see `penchant.v1.Pace`."""

    window_s: int
    window_micros: int
    """Most that is reserved within the window, unless an even spread of what is left is more."""
    total_micros: int
    """The whole budget of the period."""
    left_s: int
    """Seconds that are left of the period."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The cost of an impression, and the budget that pays it."""

    key: str
    cost_micros: int
    allowed_micros: int
    """Spending allowed up to now, including this impression."""
    pace: Pace | None = None
    """None: as fast as `allowed_micros` permits."""


@dataclass(frozen=True, slots=True)
class ReserveOption:
    """One impression that the caller may want to show."""

    item: str
    caps: tuple[Cap, ...] = ()
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """See `penchant.v1.ReserveRequest`."""

    user: str
    recommendation_id: str
    options: tuple[ReserveOption, ...]
    n: int
    """Impressions to reserve, at most."""
    lapse_s: int
    """Seconds until the reservations lapse."""
    as_of_us: int | None = None


class UnreservedReason(Enum):
    """Why an option cannot be reserved."""

    CAPPED = "capped"
    BUDGET = "budget"
    """The budget would be overspent, or can't be read."""
    PACE = "pace"
    """There is money left, but it is spent too fast; callers are told BUDGET."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """An impression that may be shown until the reservation lapses."""

    item: str
    lapses_at_us: int


@dataclass(frozen=True, slots=True)
class ReservedImpression:
    """A reservation as the log keeps it."""

    item: str
    at_us: int
    """Time of the reservation, in microseconds since 1970."""
    lapses_at_us: int
    caps: tuple[tuple[str, int], ...] = ()
    """Keys of the caps, each with its longest window in the request, in microseconds."""
    budget: str = ""
    """Key of the budget; empty: the impression is free."""
    cost_micros: int = 0
    day: str = ""
    """Day of the reservation by its campaign's clock, as in `2026-03-29`."""


@dataclass(frozen=True, slots=True)
class Unreserved:
    """An option that a cap or a budget forbids."""

    item: str
    reason: UnreservedReason


@dataclass(frozen=True, slots=True)
class Reservations:
    """The reserved and the refused options, each in the order of the request."""

    reserved: tuple[Reservation, ...]
    refused: tuple[Unreserved, ...]
