"""The stated chance of what is shown is its true chance, with refusals too."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from math import prod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk.ads import Calibration, TargetingRule
from penchant_sdk.ads.choosing import by_value, drawn, propensities
from penchant_sdk.ads.eligibility import Ineligible, why_not
from penchant_sdk.ads.moment import moment_of
from penchant_sdk.ads.types import AdContext, Size, Slot
from penchant_sdk.errors import InvalidRequest
from tests.unit.sdk.ads.campaigns import MONDAY, campaign

values_of_five = st.lists(st.floats(1e-3, 1e6), min_size=5, max_size=5).map(
    lambda values: dict(zip("abcde", values, strict=True))
)


@given(values_of_five, st.floats(0.2, 5.0), st.sets(st.sampled_from("abcde"), max_size=2))
def test_chances_of_all_lists_that_may_be_shown_sum_to_one(
    values: dict[str, float], temperature: float, refused: set[str]
) -> None:
    left = sorted(values.keys() - refused)
    total = sum(
        prod(propensities(values, temperature, refused, shown)) for shown in permutations(left, 2)
    )
    assert total == pytest.approx(1.0)


@pytest.mark.parametrize("refused", [set(), {"b"}, {"b", "d"}])
def test_the_first_of_those_not_refused_is_drawn_as_often_as_stated(refused: set[str]) -> None:
    values, random, draws = {"a": 1.0, "b": 4.0, "c": 2.0, "d": 3.0, "e": 0.5}, Random(1), 20_000
    seen: Counter[tuple[str, ...]] = Counter()
    for _ in range(draws):
        left = [name for name in drawn(values, 0.7, random) if name not in refused]
        seen[tuple(left[:2])] += 1
    for shown, count in seen.items():
        chance = prod(propensities(values, 0.7, refused, shown))
        assert count / draws == pytest.approx(chance, abs=5 * (chance / draws) ** 0.5)


@given(values_of_five)
def test_a_low_temperature_comes_to_the_best_order(values: dict[str, float]) -> None:
    best = by_value(values)
    assert [values[name] for name in best] == sorted(values.values(), reverse=True)
    spaced = {name: 2.0**place for place, name in enumerate(reversed(best))}
    assert drawn(spaced, 1e-3, Random(3)) == best
    assert propensities(spaced, 1e-3, set(), best) == pytest.approx([1.0] * 5)


@given(st.floats(-50, 50), st.floats(-50, 50), st.integers(1, 9), st.lists(st.floats(0.01, 3.0)))
def test_a_click_probability_is_one_whatever_the_score(
    score: float, slope: float, position: int, looks: list[float]
) -> None:
    calibration = Calibration(slope, -3.0, (1.0, *looks))
    assert 0 < calibration.click_probability(1e3 * score, position) <= 1


@given(st.sampled_from(["phone", "desktop", ""]), st.sampled_from(["NL", "FR", ""]))
def test_targeting_holds_just_where_it_says(device: str, country: str) -> None:
    slot = Slot("article", Size(300, 250))
    context = AdContext(at=MONDAY, device=device, attributes={"country": country})
    phones = campaign(
        targeting=(
            TargetingRule.one_of("device", "phone"),
            TargetingRule.none_of("country", "FR"),
            TargetingRule.one_of("size", "300x250"),
            TargetingRule.one_of("part_of_day", "night", "evening"),
        )
    )
    holds = device == "phone" and country != "FR"
    expected = None if holds else Ineligible.TARGETING
    assert why_not(phones, slot, moment_of(slot, context)) is expected


def test_an_attribute_can_not_pose_as_the_slot() -> None:
    with pytest.raises(InvalidRequest, match="attributes: got placement"):
        AdContext(attributes={"placement": "home"})
