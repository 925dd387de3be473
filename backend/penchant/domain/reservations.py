"""The words of reserving: options under caps and budgets in, reservations and refusals out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many impressions of what the key names in any stretch of so much time."""

    key: str
    limit: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What an impression costs, and whose money it is."""

    key: str
    cost_micros: int
    allowed_micros: int
    """What may have been spent by now, this impression included."""


@dataclass(frozen=True, slots=True)
class ReserveOption:
    """One impression that may be made."""

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
    lapse_s: int
    as_of_us: int | None = None


class UnreservedReason(Enum):
    """Why an option can't be had."""

    CAPPED = "capped"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Reservation:
    """An impression that may be made until it lapses."""

    item: str
    lapses_at_us: int


@dataclass(frozen=True, slots=True)
class Unreserved:
    """An option that caps or budgets forbid."""

    item: str
    reason: UnreservedReason


@dataclass(frozen=True, slots=True)
class Reservations:
    """What was reserved and what can't be, each in the order of the options."""

    reserved: tuple[Reservation, ...]
    refused: tuple[Unreserved, ...]
