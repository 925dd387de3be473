"""Sales that come late: young clicks are not taken for clicks that lead to none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ad_conversions import DAY_S, SHOPS, clicks_of, days_of_bidding
from penchant.calibration.clicked_ads import ClickedAds
from penchant.calibration.delayed_feedback import _Delays, fit_sales
from penchant.domain.errors import ConfigError
from penchant.domain.signals import named_signals
from penchant.domain.types import Event, Exposure
from penchant.store.lmdb import LmdbStore
from penchant_sdk import InvalidRequest
from penchant_sdk.ads import Calibration, Conversions, Money, TargetCpa, TargetRoas
from penchant_sdk.ads.calibration import FORMAT
from penchant_sdk.ads.goal import bid_for
from tests.support import command
from tests.support.world import NOW_US, World


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_young_clicks_are_not_taken_for_clicks_without_a_sale(seed: int) -> None:
    clicks = clicks_of(SHOPS, 12_000, 7 * DAY_S, np.random.default_rng(seed))
    found = fit_sales(clicks)
    for place, shop in enumerate(SHOPS):
        seen = clicks.converted[clicks.item == place].mean()
        assert found.chance[shop.id] == pytest.approx(shop.chance, rel=0.25)
        assert abs(found.chance[shop.id] - shop.chance) < abs(seen - shop.chance)
        assert found.mean_delay_s[shop.id] == pytest.approx(shop.mean_delay_s, rel=0.3)
        assert found.value[shop.id] == pytest.approx(shop.value, rel=0.05)


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8), st.integers(0, 7))
def test_the_gradient_is_that_of_the_likelihood(weights: list[float], which: int) -> None:
    clicks = clicks_of(SHOPS, 200, 7 * DAY_S, np.random.default_rng(4))
    problem = _Delays(clicks, clicks.elapsed_s / DAY_S)
    at, step = np.array(weights), np.zeros(8)
    step[which] = 1e-6
    slope = (problem.loss(at + step)[0] - problem.loss(at - step)[0]) / 2e-6
    assert problem.loss(at)[1][which] == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_sales_that_come_at_once_are_just_counted() -> None:
    sold = np.tile([1.0, 0.0, 0.0, 0.0], 500)
    elapsed = np.where(sold > 0, 1.0, 30 * DAY_S)
    clicks = ClickedAds(("a",), np.zeros(2000, np.int64), sold, elapsed, np.multiply(3.0, sold))
    assert fit_sales(clicks).chance["a"] == pytest.approx(0.25, abs=0.005)


def test_an_ad_with_few_clicks_is_taken_for_one_like_the_others() -> None:
    clicks = clicks_of(SHOPS[:1] * 1, 4000, 7 * DAY_S, np.random.default_rng(5))
    few = ClickedAds(
        (*clicks.items, "new"),
        np.append(clicks.item, 1),
        np.append(clicks.converted, 0.0),
        np.append(clicks.elapsed_s, DAY_S),
        np.append(clicks.value, 0.0),
    )
    found = fit_sales(few)
    assert found.chance["new"] == pytest.approx(found.chance[SHOPS[0].id], rel=0.15)


def test_ten_sales_are_needed() -> None:
    clicks = ClickedAds(("a",), np.zeros(9, np.int64), np.ones(9), np.ones(9), np.ones(9))
    with pytest.raises(ConfigError, match="9 of 9 clicks led to a sale, expected at least 10"):
        fit_sales(clicks)


def test_the_cost_of_a_sale_converges_to_its_target() -> None:
    """Bids from the delays' model reach the target; bids from sales so far stay below it."""
    modelled = days_of_bidding(seed=1, by_delays=True)
    counted = days_of_bidding(seed=1, by_delays=False)
    for shop in SHOPS:
        assert modelled[shop.id] == pytest.approx(1.0, abs=0.2)
        assert counted[shop.id] < modelled[shop.id]
    assert min(counted.values()) < 0.85


def test_a_goal_bids_by_the_sales_to_expect_and_never_above_the_bid() -> None:
    sales = Conversions({"a": 0.1}, {"a": 50.0}, any_chance=0.01, any_value=20.0)
    most = Money.of(2)
    assert bid_for(TargetCpa(Money.of(15)), most, "a", sales) == Money.of("1.50")
    assert bid_for(TargetCpa(Money.of(15)), most, "new", sales) == Money.of("0.15")
    assert bid_for(TargetRoas(4.0), most, "a", sales) == Money.of("1.25")
    assert bid_for(TargetCpa(Money.of(99)), most, "a", sales) == most
    assert bid_for(TargetCpa(Money.of(99)), most, "a", None) == most
    assert bid_for(None, most, "a", sales) == most


def test_the_sdk_reads_what_calibrate_writes(tmp_path: Path) -> None:
    found = fit_sales(clicks_of(SHOPS, 3000, 7 * DAY_S, np.random.default_rng(6)))
    fields = {
        "format": FORMAT,
        "slope": 1.0,
        "intercept": -3.0,
        "examination": [1.0],
        "impressions": 9,
        "conversions": {
            "chance": found.chance,
            "value": found.value,
            "any_chance": found.any_chance,
            "any_value": found.any_value,
        },
    }
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(fields))
    conversions = Calibration.load(path).conversions
    assert conversions is not None
    shop = SHOPS[0].id
    assert conversions.expected(shop) == (found.chance[shop], found.value[shop])
    assert conversions.expected("another") == (found.any_chance, found.any_value)
    path.write_text(json.dumps({**fields, "conversions": [1]}))
    with pytest.raises(InvalidRequest, match="can't be read"):
        Calibration.load(path)


def test_calibrate_reads_sales_and_their_delays_from_a_store(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 24)
    world = World(tmp_path / "catalog", store=store, signals=named_signals("ads"))
    world.put(tents="tents", shoes="shoes")
    random = np.random.default_rng(7)
    for number in range(150):
        item, user, id_ = ("tents", "shoes")[number % 2], f"u{number}", f"r{number}"
        at_us = NOW_US - int((20 - number / 10) * DAY_S * 1e6)
        shown = Event(f"i{id_}", user, item, "impression", None, at_us, id_)
        exposure = Exposure(position=1, propensity=1.0, score=float(random.normal()))
        events = [replace(shown, exposure=exposure)]
        if number % 3:
            events.append(Event(f"c{id_}", user, item, "click", None, at_us + 1_000_000, id_))
        if number % 3 == 1:
            sold_us = at_us + int(random.exponential(2 * DAY_S) * 1e6)
            if sold_us <= NOW_US:
                events.append(Event(f"s{id_}", user, item, "conversion", 30.0, sold_us, id_))
        world.feed(*events)
    store.close()
    output = tmp_path / "calibration.json"
    place = f"lmdb:{tmp_path / 'store'}"
    ran = command.run(["calibrate", "--store", place, "--set", "signals=ads", "--output", output])
    assert ran.exit_code == 0, ran.output
    assert "with a sale so far" in ran.stdout
    conversions = Calibration.load(output).conversions
    assert conversions is not None
    for item in ("tents", "shoes"):
        chance, value = conversions.expected(item)
        assert 0.3 < chance < 0.75
        assert value == pytest.approx(30.0)
