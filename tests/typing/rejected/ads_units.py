"""Code that must not type-check: ads with wrong units, missing slots, unknown signals."""

from __future__ import annotations

from datetime import UTC, datetime

from penchant_sdk import Penchant, Thompson
from penchant_sdk.ads import (
    AdClient,
    AsyncAdClient,
    Campaign,
    Flight,
    FrequencyCap,
    Money,
    Size,
    Slot,
)

june = Flight(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
ads = AdClient(Penchant("localhost:8001"))
slot = Slot("article", Size(300, 250))
ads.select(user="u42")  # E: call-arg
ads.select("u42", slot=slot)  # E: call-arg
ads.select(user="u42", slot="article")  # E: arg-type
ads.select(user="u42", slot=slot, context={"device": "phone"})  # E: arg-type
ads.select(user="u42", slot=slot, explore=Thompson())  # E: arg-type
Slot("article")  # E: call-arg
Slot("article", "300x250")  # E: arg-type
Campaign("a", "text", "A", june, budget=100, bid=Money.of(1))  # E: arg-type
Campaign("a", "text", "A", june, budget=Money.of(100), bid=0.4)  # E: arg-type
Campaign("a", "text", "A", june, budget=Money.of(100))  # E: call-arg
Money.of(0.4)  # E: arg-type
Money(0.4)  # E: arg-type
Money.of(1) + 1  # E: operator
cheap = Money.of(1) < 1  # E: operator
FrequencyCap(3, "hour")  # E: arg-type
Flight("2026-06-01", "2026-07-01")  # E: arg-type arg-type
(decision,) = ads.select(user="u42", slot=slot)
decision.click_probability = 1.0  # E: misc
ads.conversion(decision)  # E: call-arg
ads.conversion(decision, value=20)  # E: arg-type
ads.impression("shoes")  # E: arg-type
ads.viewed(decision)  # E: attr-defined
AsyncAdClient(Penchant("localhost:8001"))  # E: arg-type
