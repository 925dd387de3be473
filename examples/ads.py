"""A small ad server: three campaigns and one reader's evening.

Start a server with the signals of ads first, then run this beside it:

    penchant serve --store lmdb:.penchant/store --set signals=default,ads
    python examples/ads.py localhost:8001
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from penchant_sdk import Penchant
from penchant_sdk.ads import (
    AdClient,
    AdContext,
    Campaign,
    Creative,
    Flight,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
    TargetCpa,
    TargetingRule,
)


def campaigns() -> list[Campaign]:
    """Three campaigns that each run for four weeks and began two weeks ago."""
    start = datetime.now(UTC) - timedelta(days=14)
    month = Flight(start, start + timedelta(days=28))
    hourly = (FrequencyCap(1, Per.HOUR),)
    return [
        Campaign(
            "tents", "A light tent for two. Camping in the mountains", "Oak & Sons", month,
            budget=Money.of(500), bid=Money.of("0.40"), caps=hourly,
            # A sale may cost 15, once a calibration knows how many clicks lead to one.
            goal=TargetCpa(Money.of(15)),
        ),
        Campaign(
            "boots", "Hiking boots. They grip on any mountain", "Oak & Sons", month,
            budget=Money.of(300), bid=Money.of("0.40"), caps=hourly,
            creatives=(
                Creative("grip", "Hiking boots that grip on any mountain"),
                Creative("light", "Hiking boots as light as a trainer"),
            ),
            avoids=frozenset({"avalanche accident"}),
        ),
        Campaign(
            "wine", "A case of red wine. From small vineyards", "Vino", month,
            budget=Money.of(400), bid=Money.of("0.45"), caps=hourly,
            categories=frozenset({"alcohol"}),
            targeting=(TargetingRule.one_of("age_group", "adult"),),
        ),
    ]  # fmt: skip


def evening(penchant: Penchant) -> None:
    """Plays a reader who opens four pages and clicks the ads about mountains."""
    ads = AdClient(penchant)
    ads.put_campaigns(campaigns())
    slot = Slot("article", Size(300, 250))
    reader = AdContext(device="phone", attributes={"age_group": "adult"})
    for page in range(1, 5):
        decisions = ads.select(user="ann", slot=slot, context=reader)
        if not decisions:
            print(f"page {page}: no ad, each was shown within the last hour")
        for decision in decisions:
            ads.impression(decision)
            print(f"page {page}: {decision.item}, {decision.click_probability:.1%}")
            print(f"  {decision.reason}")
            if decision.campaign in ("tents", "boots"):
                ads.click(decision)
                ads.conversion(decision, value=Money.of("89.90"), id=f"order-{page}")
    children = Slot("children", Size(300, 250), blocked_categories=frozenset({"alcohol"}))
    for decision in ads.select(user="ben", slot=children, context=reader, n=3):
        print(f"ben, with alcohol blocked: {decision.campaign}")
        ads.hide(decision)
    left = ads.select(user="ben", slot=slot, context=reader, n=3)
    print(f"ben, after hiding these: {', '.join(one.campaign for one in left)}")


if __name__ == "__main__":
    with Penchant(sys.argv[1] if len(sys.argv) > 1 else "localhost:8001", timeout_s=5.0) as client:
        evening(client)
