"""Live offsets of held-out events: counted as a server counts them, by whichever way is quicker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.tally import Tally
from penchant.logs.interactions import Interactions
from penchant.refresh.held_out import HeldOut
from penchant.refresh.item_vectors import fit_for_weights
from penchant.refresh.refresh_settings import RefreshSettings
from tests.support.signal_logs import unit_rows

CONFIG = Config("memory:", Path("encoder"))
ITEMS, EVENTS, CUT = 40, 800, 600


def log_of(repeated: bool) -> Interactions:
    rng = np.random.default_rng(3)
    pairs = rng.permutation(60 * ITEMS)[:EVENTS]
    if repeated:
        pairs[::3] = pairs[1]
    return Interactions(
        user=pairs // ITEMS,
        item=pairs % ITEMS,
        reward=rng.choice([-0.5, 0.0, 0.3, 1.0], EVENTS).astype(np.float32),
        at_us=np.sort(rng.integers(1_600_000_000_000_000, 1_601_000_000_000_000, EVENTS)),
        weight=rng.choice([0.1, 1.0, 2.0], EVENTS).astype(np.float32),
    )


def test_offsets_are_those_of_the_counters_of_a_server() -> None:
    for repeated in (False, True):
        events = log_of(repeated)
        fitted = fit_for_weights(
            events.taken(slice(0, CUT)), unit_rows(ITEMS, 8), RefreshSettings()
        )
        log = HeldOut(
            events,
            fitted,
            CUT,
            CONFIG.fold,
            CONFIG.offset_half_life_s,
            CONFIG.offset_prior_impressions,
        )
        counted, after = log._offsets._counted, log._offsets._after[0]
        assert log.unseen[counted].all() != repeated
        tally = Tally(CONFIG.offset_half_life_s)
        for place, found in zip(counted.tolist(), after.tolist(), strict=True):
            assert events.weight is not None
            signal = ResolvedSignal(float(events.reward[place]), float(events.weight[place]), None)
            user, item = int(events.user[place]), int(events.item[place])
            counters = tally.count(user, item, signal, int(events.at_us[place]))
            assert counters.positives == pytest.approx(found, rel=1e-9, abs=1e-12)
