"""Ads: campaigns with targeting, caps and budgets, selected for slots by each user's interest.

`AdClient` is a thin layer over a `Penchant` connection: it ranks, values, reserves and sends
feedback. `AsyncAdClient` offers the same for asyncio. docs/clients/ads.md explains both.
"""

from __future__ import annotations

from penchant_sdk.ads.aio import AsyncAdClient
from penchant_sdk.ads.calibration import UNCALIBRATED, Calibration, Conversions
from penchant_sdk.ads.campaign import (
    Campaign,
    Creative,
    DayPart,
    Flight,
    FrequencyCap,
    Per,
    TargetingRule,
    Weekday,
)
from penchant_sdk.ads.client import AdClient
from penchant_sdk.ads.goal import TargetCpa, TargetRoas
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.types import AdContext, Decision, Size, Slot
from penchant_sdk.signal_names import AdSignal

__all__ = [
    "UNCALIBRATED",
    "AdClient",
    "AdContext",
    "AdSignal",
    "AsyncAdClient",
    "Calibration",
    "Campaign",
    "Conversions",
    "Creative",
    "DayPart",
    "Decision",
    "Flight",
    "FrequencyCap",
    "Money",
    "Per",
    "Size",
    "Slot",
    "TargetCpa",
    "TargetRoas",
    "TargetingRule",
    "Weekday",
]
