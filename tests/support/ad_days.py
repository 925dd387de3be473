"""A simulated day of ads on the backend itself, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from penchant.app import build
from penchant.cli.demo.ads.day import LAPSE_S, Day, Impression, Plan
from penchant.config import Config
from penchant.domain.signals import named_signals
from penchant.encoder.library import EncoderLibrary
from penchant.offline.calibration.shown import Shown
from penchant.offline.simulation.ads import (
    Readers,
    campaign_text,
    simulated_readers,
    visits,
)
from penchant.service.meter import SilentMeter
from penchant_sdk import Penchant, PlackettLuce
from penchant_sdk._wire import MODELS
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
from tests.support.bag_of_words import BagOfWords
from tests.unit.sdk.test_laws_on_the_app import AppTransport

CAPS = (FrequencyCap(3, Per.HOUR), FrequencyCap(8, Per.DAY))
SLOT = Slot("article", Size(300, 250))


def yesterday() -> datetime:
    """Its midnight: no event of the day lies ahead of the server's clock."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


def campaigns_of(
    readers: Readers, midnight: datetime, budget: Money, caps: Sequence[FrequencyCap] = CAPS
) -> list[Campaign]:
    """One campaign a text, all with the same rules."""
    day = Flight(midnight, midnight + timedelta(days=1))
    return [
        Campaign(id_, campaign_text(id_), "A shop", day, budget, Money.of("0.40"), caps=tuple(caps))
        for id_ in readers.campaigns
    ]


def play(
    directory: Path,
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
    """A whole day's visits; the server begins knowing nothing of anybody."""
    config = Config(
        store="memory:",
        encoder=directory,
        catalog_dir=directory,
        signals=named_signals("ads"),
        explorations_per_day=explorations_per_day,
    )
    app = build(MODELS, config, EncoderLibrary(BagOfWords()), SilentMeter())
    readers, midnight = simulated_readers(users, seed, texts_per_topic=texts_per_topic), yesterday()
    campaigns = campaigns_of(readers, midnight, budget, caps)
    plan = Plan(
        SLOT,
        midnight,
        places=places,
        explore=explore,
        explore_share=1.0 if explore else 0.0,
        at_once=4,
        seed=seed,
    )
    with Penchant("app", transport=AppTransport(app), timeout_s=10) as penchant:
        ads = AdClient(penchant, calibration=calibration, lapse_s=LAPSE_S, seed=seed)
        ads.put_campaigns(campaigns)
        day = Day(ads, readers, plan)
        day.play(visits(readers.users, count, seed))
    return day, campaigns


def shown_of(impressions: Sequence[Impression]) -> Shown:
    """What `penchant calibrate` would read of them."""
    return Shown(
        np.array([one.decision.score for one in impressions]),
        np.array([one.decision.position for one in impressions]),
        np.array([float(one.clicked) for one in impressions]),
        Counter(),
    )
