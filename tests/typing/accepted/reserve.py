"""Code that must type-check: reservations as they are meant to be used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from penchant_sdk import (
    AsyncPenchant,
    Budget,
    Cap,
    Penchant,
    Reservation,
    Reservations,
    ReserveOption,
    Unreserved,
    UnreservedReason,
)


def sync(penchant: Penchant) -> None:
    budget = Budget("campaign", cost_micros=1_500, allowed_micros=2_000_000)
    options = [ReserveOption("ad", caps=[Cap("campaign", limit=3, window_s=3600)], budget=budget)]
    got = penchant.reserve("u42", "recommendation", options, n=1)
    assert_type(got, Reservations)
    assert_type(got.items, tuple[str, ...])
    assert_type(got.reserved, tuple[Reservation, ...])
    assert_type(got.reserved[0].lapses_at, datetime)
    assert_type(got.refused, tuple[Unreserved, ...])
    assert_type(got.refused[0].reason, UnreservedReason)
    penchant.reserve(
        user="u42",
        recommendation_id="r",
        options=(ReserveOption("ad", caps=(Cap("c", 1, 60),)),),
        n=2,
        lapse_s=30,
        as_of=datetime.now(UTC),
        timeout_s=0.1,
    )


async def asynchronous(penchant: AsyncPenchant) -> None:
    assert_type(await penchant.reserve("u", "r", [ReserveOption("ad")], n=1), Reservations)
