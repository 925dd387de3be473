"""The comparison of updaters covers all of them, with settings that a server accepts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.updater_choice import OWN, SHARED, WIDE, near
from benchmarks.updater_runs import RunQuality
from benchmarks.updaters import CHOSEN, Cost, row, settings_of
from penchant.domain.settings import UPDATER_NAMES, FoldSettings


def test_every_updater_is_compared() -> None:
    assert tuple(CHOSEN) == UPDATER_NAMES
    assert [settings_of(updater).updater for updater in CHOSEN] == list(UPDATER_NAMES)


@pytest.mark.parametrize("updater", UPDATER_NAMES)
@given(seed=st.integers(0, 100))
def test_every_draw_is_within_the_settings_ranges(updater: str, seed: int) -> None:
    drawn = near({**SHARED, **OWN.get(updater, {})}, WIDE, np.random.default_rng(seed))
    FoldSettings(updater=updater, **drawn)  # type: ignore[arg-type]


def test_a_row_shows_the_difference_to_ridge_and_the_ratio_of_costs() -> None:
    user = np.arange(4)
    ridge = RunQuality(np.zeros((4, 2)), user), RunQuality(np.zeros((4, 2)), user)
    other = RunQuality(np.ones((4, 2)), user), RunQuality(np.zeros((4, 2)), user)
    costs = {"ridge": Cost([100.0], [50.0], 10_000), "ogd": Cost([300.0], [50.0], 12_000)}
    assert row("ogd", {"ridge": ridge, "ogd": other}, costs) == (
        "| `ogd` | 1.0000 (+1.0000 ± 0.0000) | 1.0000 (+1.0000 ± 0.0000) "
        "| 0.0000 (+0.0000 ± 0.0000) | 0.0000 (+0.0000 ± 0.0000) "
        "| 300 (3.00) | 50 (1.00) | 12,000 |"
    )
