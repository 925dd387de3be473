"""Code that must type-check: the ad clients, as a user would write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from penchant_sdk import AsyncPenchant, EventResult, Penchant, PlackettLuce
from penchant_sdk.ads import (
    AdClient,
    AdContext,
    AsyncAdClient,
    Calibration,
    Campaign,
    DayPart,
    Decision,
    Flight,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
    TargetingRule,
    Weekday,
)

flight = Flight(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
campaign = Campaign(
    "shoes",
    "Trail shoes",
    "Oak & Sons",
    flight,
    budget=Money.of(100),
    bid=Money.of("0.40"),
    categories=frozenset({"sports"}),
    targeting=(TargetingRule.one_of("device", "phone"), TargetingRule.none_of("country", "FR")),
    caps=(FrequencyCap(3, Per.HOUR), FrequencyCap(9, Per.FLIGHT)),
    day_parts=(DayPart(18, 24, frozenset({Weekday.FRIDAY})),),
)
slot = Slot("article", Size(300, 250), position=2, utc_offset=timedelta(hours=2))
context = AdContext(page_text="Hiking", at=1.5, device="phone", attributes={"country": "NL"})


def select_sync(penchant: Penchant) -> Money:
    ads = AdClient(penchant, [campaign], calibration=Calibration.load("calibration.json"))
    decisions: tuple[Decision, ...] = ads.select(
        user="u42", slot=slot, context=context, n=2, explore=PlackettLuce(0.5)
    )
    shown: EventResult = ads.impression(decisions[0])
    ads.conversion(decisions[0], value=Money.of("19.99"), id="order-1", at=datetime.now(UTC))
    ads.calibration = Calibration(1.0, -3.0, (1.0, 0.6))
    return decisions[0].price + Money.of(Decimal("0.1")) * 2 if shown else Money(0)


async def select(penchant: AsyncPenchant) -> Decision | None:
    ads = AsyncAdClient(penchant)
    await ads.put_campaigns([campaign])
    for decision in await ads.select(user="u42", slot=slot):
        await ads.impression(decision)
        await ads.click(decision)
        await ads.hide(decision)
        return decision
    return None
