"""Creatives of a campaign: drawn, logged with the chance of the draw, and under one budget."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk import PlackettLuce
from penchant_sdk.ads import (
    AdClient,
    AdContext,
    Calibration,
    Campaign,
    Creative,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
)
from penchant_sdk.ads.campaign import from_item, to_items
from penchant_sdk.ads.choosing import EXPLORED, creative_chances, drawn_creative, propensities
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.testing import FakePenchant
from tests.unit.sdk.ads.campaigns import campaign

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SLOT = Slot("article", Size(300, 250))
FLAT = Calibration(slope=0.05, intercept=-3.0, examination=(1.0, 0.5))
TEXTS = (Creative("a", "A tent for two"), Creative("b", "Sleep below stars"), Creative("c", "Camp"))
TENTS = campaign("tents", creatives=TEXTS, budget=Money.of(10**7))
SHOES = campaign("shoes", "Trail shoes", budget=Money.of(10**7))

chances = st.dictionaries(st.sampled_from("abcdef"), st.floats(1e-6, 1.0), min_size=1)


def client(*campaigns: Campaign, seed: int = 1) -> AdClient:
    ads = AdClient(FakePenchant(signals="default,ads"), calibration=FLAT, seed=seed)
    ads.put_campaigns(campaigns)
    return ads


@given(chances)
def test_each_creative_is_tried_and_the_better_one_more_often(clicks: Mapping[str, float]) -> None:
    found = creative_chances(clicks)
    assert math.fsum(found.values()) == pytest.approx(1)
    assert min(found.values()) >= EXPLORED / len(found) - 1e-12
    for one, other in itertools.pairwise(sorted(clicks, key=lambda name: clicks[name])):
        assert found[one] <= found[other] + 1e-12


class Fixed(Random):
    """Draws one number for ever."""

    def __init__(self, number: float) -> None:
        super().__init__(0)
        self._number = number

    def random(self) -> float:
        return self._number


@given(chances)
def test_the_draw_has_the_stated_chances_exactly(clicks: Mapping[str, float]) -> None:
    """Every random number of a fine even grid: each creative gets just its share of them."""
    found, grid = creative_chances(clicks), 500
    draws = Counter(drawn_creative(found, Fixed((place + 0.5) / grid)) for place in range(grid))
    for name, chance in found.items():
        assert abs(draws[name] / grid - chance) <= 1 / grid


def test_propensities_are_the_chances_of_all_ways_to_show_an_ad() -> None:
    """Enumerates every order of the campaigns and every draw of their creatives."""
    creatives = {"x": {"x1": 0.3, "x2": 0.7}, "y": {"y1": 1.0}, "z": {"z1": 0.5, "z2": 0.5}}
    values = {"x": 6.0, "y": 3.0, "z": 1.0}
    shown_first: defaultdict[str, float] = defaultdict(float)
    shown_pair: defaultdict[tuple[str, str], float] = defaultdict(float)
    for order in itertools.permutations(values):
        chance_of_order = math.prod(propensities(values, 1.0, (), order))
        for draw in itertools.product(*(creatives[name].items() for name in order)):
            chance = chance_of_order * math.prod(share for _, share in draw)
            shown_first[draw[0][0]] += chance
            shown_pair[draw[0][0], draw[1][0]] += chance
    for first, second in itertools.permutations(values, 2):
        stated = propensities(values, 1.0, (), [first, second])
        for ad, share in creatives[first].items():
            assert shown_first[ad] == pytest.approx(stated[0] * share)
            for other, other_share in creatives[second].items():
                below = shown_pair[ad, other] / shown_first[ad]
                assert below == pytest.approx(stated[1] * other_share)


def test_the_logged_propensity_is_the_chance_of_the_shown_creative() -> None:
    """Each ad's shown impressions, weighted by 1 / propensity, are as many as all decisions."""
    ads, count = client(TENTS, SHOES), 1200
    weights: defaultdict[str, float] = defaultdict(float)
    squares: defaultdict[str, float] = defaultdict(float)
    for number in range(count):
        (one,) = ads.select(
            user=f"u{number}", slot=SLOT, context=AdContext("Camping", at=NOON),
            explore=PlackettLuce(1.0), explain=False,
        )  # fmt: skip
        weights[one.item] += 1 / one.propensity
        squares[one.item] += 1 / one.propensity**2
    assert set(weights) == {"tents/a", "tents/b", "tents/c", "shoes"}
    for item, weight in weights.items():
        assert abs(weight - count) <= 4 * math.sqrt(squares[item]), item


def test_a_campaign_draws_a_creative_without_exploring_its_order() -> None:
    ads = client(TENTS)
    seen: defaultdict[str, set[float]] = defaultdict(set)
    for number in range(60):
        (one,) = ads.select(user=f"u{number}", slot=SLOT, context=AdContext(at=NOON), explain=False)
        seen[one.creative].add(round(one.propensity, 9))
    assert set(seen) == {"a", "b", "c"}
    assert math.fsum(next(iter(one)) for one in seen.values()) == pytest.approx(1)


def test_creatives_share_caps_budget_and_price() -> None:
    one_a_day = campaign(
        "tents", creatives=TEXTS, budget=Money.of(10**7), caps=(FrequencyCap(2, Per.DAY),)
    )
    ads = client(one_a_day)
    decisions = [
        decision
        for minute in range(6)
        for decision in ads.select(
            user="ann", slot=SLOT, context=AdContext(at=NOON + timedelta(minutes=minute)),
            explain=False,
        )
        if ads.impression(decision, at=NOON + timedelta(minutes=minute))
    ]  # fmt: skip
    assert len(decisions) == 2
    assert all(decision.campaign == "tents" for decision in decisions)


def test_hiding_one_creative_hides_its_campaign() -> None:
    ads = client(TENTS, SHOES)
    while True:
        (one,) = ads.select(user="ann", slot=SLOT, context=AdContext(at=NOON), explain=False)
        if one.campaign == "tents":
            break
        ads.hide(one, at=NOON)
    ads.hide(one, at=NOON)
    later = AdContext(at=NOON + timedelta(minutes=5))
    left = ads.select(user="ann", slot=SLOT, context=later, n=2, explain=False)
    assert "tents" not in {decision.campaign for decision in left}


def test_a_campaign_survives_the_catalog_with_its_creatives() -> None:
    own, *creatives = to_items(TENTS)
    assert from_item(own) == TENTS
    assert [item.id for item in creatives] == ["tents/a", "tents/b", "tents/c"] == list(TENTS.items)
    assert all(from_item(item) is None for item in creatives)
    assert client(TENTS).load_campaigns(["tents"]) == (TENTS,)


def test_wrong_creatives_are_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="creatives: got ids a, a, expected each once"):
        campaign(creatives=(TEXTS[0], TEXTS[0]))
    with pytest.raises(InvalidRequest, match="creatives: got 17, expected at most 16"):
        campaign(creatives=tuple(Creative(str(n), "text") for n in range(17)))
    with pytest.raises(InvalidRequest, match="creative: text"):
        Creative("a", "")
