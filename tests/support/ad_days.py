"""A simulated day of ads on the in-process server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from unittest.mock import patch

import numpy as np

from demos.ads.ads_simulation import (
    Readers,
    campaign_text,
    simulated_readers,
    visits,
)
from demos.ads.day import LAPSE_S, Day, DayPlan, SimulatedImpression
from penchant.calibration.shown_ads import ShownAds
from penchant.encoder.bag_of_words import BagOfWords
from penchant.server.in_process import client_of
from penchant_sdk import PlackettLuce
from penchant_sdk.ads import (
    UNCALIBRATED,
    AdClient,
    Calibration,
    Campaign,
    Flight,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
)

CAPS = (FrequencyCap(3, Per.HOUR), FrequencyCap(8, Per.DAY))
SLOT = Slot("article", Size(300, 250))
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
"""Start of the day: always the same, because close choices may fall otherwise on another date."""


def campaigns_of(
    readers: Readers, midnight: datetime, budget: Money, caps: Sequence[FrequencyCap] = CAPS
) -> list[Campaign]:
    """One campaign per text, all with the same rules."""
    day = Flight(midnight, midnight + timedelta(days=1))
    return [
        Campaign(id_, campaign_text(id_), "A shop", day, budget, Money.of("0.40"), caps=tuple(caps))
        for id_ in readers.campaigns
    ]


def play(
    *,
    budget: Money,
    count: int,
    users: int = 80,
    seed: int = 1,
    caps: Sequence[FrequencyCap] = CAPS,
    calibration: Calibration = UNCALIBRATED,
    explore: PlackettLuce | None = None,
    explorations_per_day: int = 1_000_000,
    places: int = 3,
    texts_per_topic: int = 1,
) -> tuple[Day, list[Campaign]]:
    """Plays a whole day on a fresh server, reproducibly; returns the day and its campaigns."""
    settings = {"signals": "ads", "explorations_per_day": str(explorations_per_day)}
    readers = simulated_readers(users, seed, texts_per_topic=texts_per_topic)
    campaigns = campaigns_of(readers, MIDNIGHT, budget, caps)
    plan = DayPlan(
        SLOT,
        MIDNIGHT,
        places=places,
        explore=explore,
        explore_share=1.0 if explore else 0.0,
        concurrent_visits=1,  # Threads would take turns by chance.
        seed=seed,
    )
    # Event ids derive from ids of rankings, and order the events of one moment.
    ids = patch("penchant.service.rank.os.urandom", Random(seed).randbytes)
    # Biases of all items are published with every event, not once per second of wall time.
    whole = patch("penchant.catalog.item_biases.WHOLE_EVERY_S", 0.0)
    with ids, whole, client_of(BagOfWords(), settings) as penchant:
        ads = AdClient(penchant, calibration=calibration, lapse_s=LAPSE_S, seed=seed)
        ads.put_campaigns(campaigns)
        day = Day(ads, readers, plan)
        day.play(visits(readers.users, count, seed))
    return day, campaigns


def shown_of(impressions: Sequence[SimulatedImpression]) -> ShownAds:
    """Impressions as `penchant calibrate` reads them from a store."""
    return ShownAds(
        np.array([one.decision.score for one in impressions]),
        np.array([one.decision.position for one in impressions]),
        np.array([float(one.clicked) for one in impressions]),
        Counter(),
    )
