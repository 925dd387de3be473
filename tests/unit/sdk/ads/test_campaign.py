"""A campaign travels as an item and comes back the same; what can't be is refused when made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from penchant_sdk import InvalidRequest, Item
from penchant_sdk.ads import Campaign, DayPart, Flight, FrequencyCap, Money, Per, TargetingRule
from penchant_sdk.ads.campaign import from_item, to_item
from tests.unit.sdk.ads.campaigns import MONDAY, campaign, campaigns

WRONG: dict[str, Any] = {"text": "NL", "list": ["NL"], "number": 1, "day": 8}
"""Arguments that a type checker would refuse."""


@given(campaigns)
def test_a_campaign_comes_back_from_its_item_as_it_was(one: Campaign) -> None:
    item = to_item(one)
    assert from_item(item) == one
    assert (item.id, item.text) == (one.id, one.text)
    assert all(len(piece.encode()) <= 1024 for piece in item.attributes.values())
    assert len(item.attributes) <= 64


def test_long_rules_are_split_and_those_too_long_to_travel_are_refused() -> None:
    def targeted(count: int) -> Campaign:
        values = [f"region-{number:05}" for number in range(count)]
        return campaign(targeting=(TargetingRule.one_of("region", *values),))

    long = targeted(300)
    assert len(to_item(long).attributes) > 3
    assert from_item(to_item(long)) == long
    with pytest.raises(InvalidRequest, match=r"'tents': its rules take .* expected at most 32,768"):
        to_item(targeted(5000))


def test_an_item_that_is_no_campaign_is_none_and_a_broken_one_an_error() -> None:
    assert from_item(Item("film", "A film", {"year": "1995"})) is None
    with pytest.raises(InvalidRequest, match=r"item 'x': its ads\.campaign can't be read"):
        from_item(Item("x", "text", {"ads.campaign": '{"unheardOf": 1}'}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: campaign(budget=Money(0)), "budget: got 0, expected more"),
        (lambda: campaign(text=""), "text: got ''"),
        (lambda: DayPart(22, 2), "past midnight takes two parts"),
        (lambda: FrequencyCap(0, Per.DAY), "cap: limit: got 0"),
        (lambda: Flight(MONDAY, MONDAY), "expected after its start"),
        (lambda: TargetingRule.one_of("device"), "values of 'device': got none"),
        (lambda: TargetingRule("country", WRONG["text"]), "values of 'country': got the text 'NL'"),
        (lambda: TargetingRule.one_of("country", WRONG["list"]), "got ['NL'], expected text"),
        (lambda: TargetingRule("", frozenset({"NL"})), "targeting: key: got ''"),
        (lambda: TargetingRule("x", frozenset({"y"}), WRONG["number"]), "excluded: got 1"),
        (lambda: campaign(categories="alcohol"), "categories: got the text 'alcohol'"),
        (lambda: campaign(targeting=TargetingRule.one_of("a", "b")), "targeting: got Targeting"),
        (lambda: campaign(caps=(3,)), "caps[0]: got 3, expected a FrequencyCap"),
        (lambda: campaign(day_parts=((8, 9),)), "day_parts[0]: got (8, 9), expected a DayPart"),
        (lambda: DayPart(1, 2, frozenset({WRONG["day"]})), "weekday: got 8, expected at most 7"),
        (lambda: campaign(time_zone="Europe/Atlantis"), "time_zone: got 'Europe/Atlantis'"),
        (lambda: campaign(time_zone="../../etc/passwd"), "time_zone: got '../../etc/passwd'"),
        (lambda: campaign(budget_per=Per.HOUR), "budget_per: got Per.HOUR"),
        (
            lambda: campaign(
                flight=Flight(MONDAY, MONDAY + timedelta(days=4000)), day_parts=(DayPart(8, 9),)
            ),
            "over ten years with day parts",
        ),
        (
            lambda: campaign(
                flight=Flight(MONDAY, MONDAY + timedelta(days=400)),
                caps=(FrequencyCap(1, Per.FLIGHT),),
            ),
            "over 365 days",
        ),
        (lambda: Money.of("0.0000001"), "at most six decimals"),
        (lambda: Money.of("a lot"), "expected a number such as"),
        (lambda: Money(-1), "got -1 micros"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_was_expected(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(InvalidRequest) as refusal:
        make()
    assert message in str(refusal.value)
