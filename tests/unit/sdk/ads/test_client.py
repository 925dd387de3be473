"""The laws of the ad client, on the fake server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import prod

import pytest
from grpc import StatusCode

from penchant_proto.v1.service_pb2 import Call
from penchant_sdk import (
    Event,
    EventIdReused,
    EventStatus,
    InvalidRequest,
    PlackettLuce,
)
from penchant_sdk.ads import (
    AdClient,
    AdContext,
    AsyncAdClient,
    Calibration,
    Campaign,
    DayPart,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
)
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant, FakeServer, StatusError
from tests.unit.sdk.ads.campaigns import MONDAY, campaign

NOON = MONDAY + timedelta(hours=12)
EVENING = MONDAY + timedelta(hours=24)
"""The clock of servers that a whole day is replayed on."""
SLOT = Slot("article", Size(300, 250))
HALF = Calibration(slope=0.0, intercept=0.0, examination=(1.0, 0.5, 0.25))
"""Every ad is clicked every second time, where it is looked at."""


def server_at(when: datetime = NOON, **settings: str) -> FakeServer:
    return FakeServer(when.timestamp, signals="default,ads", settings=settings)


def client(*campaigns: Campaign, when: datetime = NOON, seed: int = 1, **settings: str) -> AdClient:
    ads = AdClient(FakePenchant(server_at(when, **settings)), calibration=HALF, seed=seed)
    ads.put_campaigns(campaigns)
    return ads


def at(when: datetime) -> AdContext:
    return AdContext(at=when)


def three(**fields: object) -> list[Campaign]:
    bids = {"tents": "0.50", "tea": "0.30", "vinyl": "0.20"}
    rich = {"budget": Money.of(1_000_000), **fields}
    return [campaign(id_, f"{id_} for two", bid=Money.of(bid), **rich) for id_, bid in bids.items()]


def test_the_most_valuable_come_first_each_with_its_place_and_price() -> None:
    ads = client(*three())
    decisions = ads.select(user="ann", slot=SLOT, context=at(NOON), n=3)
    assert [one.campaign for one in decisions] == ["tents", "tea", "vinyl"]
    assert [one.position for one in decisions] == [1, 2, 3]
    assert [one.click_probability for one in decisions] == [0.5, 0.25, 0.125]
    assert {one.propensity for one in decisions} == {1.0}
    # Each pays for the mean place: 0.5 * (1 + 0.5 + 0.25) / 3.
    assert decisions[0].price == Money(round(500_000 * 0.5 * 1.75 / 3))
    assert decisions[0].lapses_at == NOON + timedelta(seconds=60)


class NoReasons(FakeServer):
    """Refuses to explain a ranking."""

    def infer(self, payload: bytes) -> bytes:
        if Call.FromString(payload).rank.explain:
            raise StatusError(StatusCode.UNAVAILABLE, "[Overloaded] the queue is full")
        return super().infer(payload)


def test_a_decision_is_not_lost_for_want_of_its_reason() -> None:
    server = NoReasons(NOON.timestamp, signals="default,ads")
    ads = AdClient(FakePenchant(server), calibration=HALF)
    ads.put_campaigns(three())
    decisions = ads.select(user="ann", slot=SLOT, context=at(NOON), n=2)
    assert [one.campaign for one in decisions] == ["tents", "tea"]
    assert {one.explanation for one in decisions} == {None}
    assert {one.reason for one in decisions} == {
        "Because it is worth most among the ads that may be shown here now."
    }
    assert ads.impression(decisions[0], at=NOON).status is EventStatus.ACCEPTED


def test_a_frequency_cap_holds_until_its_hour_is_over() -> None:
    caps = (FrequencyCap(2, Per.HOUR), FrequencyCap(3, Per.FLIGHT))
    ads = client(campaign(caps=caps), when=EVENING)
    shown = []
    for minute in range(0, 180, 10):
        when = NOON + timedelta(minutes=minute)
        for decision in ads.select(user="ann", slot=SLOT, context=at(when)):
            ads.impression(decision, at=when)
            shown.append(minute)
    assert shown == [0, 10, 60]
    assert ads.select(user="bob", slot=SLOT, context=at(NOON + timedelta(hours=3)))


def test_money_is_spent_no_faster_than_time_goes_by() -> None:
    ads = client(campaign(budget=Money.of(24), bid=Money.of(1)), when=EVENING)
    spent = 0
    for minute in range(0, 24 * 60, 2):
        when = MONDAY + timedelta(minutes=minute)
        for decision in ads.select(user=f"user-{minute}", slot=SLOT, context=at(when)):
            ads.impression(decision, at=when)
            spent += decision.price.micros
        gone = Money.of(minute) * (1 / 60)
        assert gone.micros - 500_000 <= spent <= gone.micros
    assert Money.of(23) <= Money(spent) <= Money.of(24)


def test_an_unconfirmed_decision_gives_back_its_place_and_its_money() -> None:
    ads = client(campaign(budget=Money.of(1), caps=(FrequencyCap(1, Per.DAY),)))
    assert ads.select(user="ann", slot=SLOT, context=at(NOON))
    assert not ads.select(user="ann", slot=SLOT, context=at(NOON + timedelta(seconds=30)))
    assert ads.select(user="ann", slot=SLOT, context=at(NOON + timedelta(seconds=90)))


def test_what_may_not_be_shown_is_not_even_asked_for() -> None:
    ads = client(campaign(day_parts=(DayPart(18, 24),)))
    ads._penchant.close()  # A call would raise Cancelled.
    assert ads.select(user="ann", slot=SLOT, context=at(NOON)) == ()


def test_a_hidden_ad_never_comes_back_to_this_user() -> None:
    ads = client(*three())
    (decision,) = ads.select(user="ann", slot=SLOT, context=at(NOON))
    ads.impression(decision, at=NOON)
    ads.hide(decision, at=NOON)
    again = ads.select(user="ann", slot=SLOT, context=at(NOON + timedelta(minutes=5)), n=3)
    assert [one.campaign for one in again] == ["tea", "vinyl"]
    others = ads.select(user="bob", slot=SLOT, context=at(NOON), n=3)
    assert [one.campaign for one in others] == ["tents", "tea", "vinyl"]


def test_an_outcome_counts_once_however_often_and_in_whatever_order_it_is_told() -> None:
    ads = client(campaign())
    (decision,) = ads.select(user="ann", slot=SLOT, context=at(NOON))
    said = [
        ads.click(decision, at=NOON).status,
        ads.impression(decision, at=NOON).status,
        ads.click(decision, at=NOON + timedelta(seconds=9)).status,
        ads.impression(decision).status if datetime.now(UTC) < NOON else EventStatus.DUPLICATE,
    ]
    assert said == [EventStatus.ACCEPTED] * 2 + [EventStatus.DUPLICATE] * 2


def test_each_order_is_a_conversion_of_its_own_and_its_worth_can_not_change() -> None:
    ads = client(campaign())
    (decision,) = ads.select(user="ann", slot=SLOT, context=at(NOON))
    twenty = Money.of(20)
    first = ads.conversion(decision, value=twenty, id="order-1", at=NOON)
    second = ads.conversion(decision, value=twenty, id="order-2", at=NOON)
    again = ads.conversion(decision, value=twenty, id="order-1", at=NOON)
    assert (first.status, second.status, again.status) == (
        EventStatus.ACCEPTED,
        EventStatus.ACCEPTED,
        EventStatus.DUPLICATE,
    )
    with pytest.raises(EventIdReused):
        ads.conversion(decision, value=Money.of(21), id="order-1", at=NOON)


def test_the_log_knows_how_each_impression_was_shown() -> None:
    ads = client(*three())
    context = AdContext(at=NOON, device="phone", attributes={"country": "NL"})
    decisions = ads.select(user="ann", slot=SLOT, context=context, n=2, explore=PlackettLuce(1.0))
    for decision in decisions:
        ads.impression(decision, at=NOON)
    logged = [row.event for row in ads._penchant.export_user("ann").events]
    assert [event.exposure.position for event in logged if event.exposure] == [1, 2]
    assert [event.exposure.propensity for event in logged if event.exposure] == [
        one.propensity for one in decisions
    ]
    expected = {
        "device": "phone",
        "part_of_day": "afternoon",
        "placement": "article",
        "weekday": "monday",
    }
    assert all(event.context == expected for event in logged)


def test_explored_ads_come_as_often_as_their_propensities_say() -> None:
    # One of three can't be had: the chances are those among the others.
    poor = campaign("poor", "poor", bid=Money.of(1), budget=Money(1))
    ads = client(*three(), poor, seed=5)
    counts: dict[str, int] = {}
    stated: dict[str, float] = {}
    draws = 600
    for number in range(draws):
        decisions = ads.select(
            user=f"user-{number}", slot=SLOT, context=at(NOON), n=2, explore=PlackettLuce(1.0)
        )
        key = "-".join(one.campaign for one in decisions)
        counts[key] = counts.get(key, 0) + 1
        stated[key] = prod(one.propensity for one in decisions)
    assert sum(stated.values()) == pytest.approx(1.0)
    assert stated["tents-tea"] == pytest.approx(0.5 * 0.6)
    for key, chance in stated.items():
        assert counts[key] / draws == pytest.approx(chance, abs=4.5 * (chance / draws) ** 0.5)


def test_exploration_stops_where_the_users_budget_is_used_up() -> None:
    ads = client(*three())
    explored = []
    for second in range(60):
        when = NOON + timedelta(seconds=second)
        (decision,) = ads.select(user="ann", slot=SLOT, context=at(when), explore=PlackettLuce(1.0))
        ads.impression(decision, at=when)
        explored.append(decision.propensity < 1)
    assert explored == [True] * 50 + [False] * 10


def test_a_reason_names_what_the_user_did_and_the_page_where_it_decides() -> None:
    rich = Money.of(10**6)  # Enough for a minute of several ads.
    ads = client(
        campaign("tents", "Tents for camping in the mountains", budget=rich),
        campaign("boots", "Boots for the mountains", budget=rich),
        campaign("vinyl", "Jazz records", budget=rich),
        offset_weight="0",  # Else the one click ever made outweighs any text.
    )
    ads._penchant.feedback(
        [Event(user="ann", item="boots", signal="click", occurred_at=NOON - timedelta(days=1))]
    )
    (top,) = ads.select(user="ann", slot=SLOT, context=at(NOON))
    assert top.reason == "Because this user clicked this ad before."
    decisions = ads.select(user="ann", slot=SLOT, context=at(NOON), n=3)
    by_id = {one.campaign: one for one in decisions}
    assert by_id["tents"].reason == 'Because this user clicked "Boots for the mountains".'
    jazz = AdContext(page_text="Jazz records of the year", at=NOON)
    (page,) = ads.select(user="new", slot=SLOT, context=jazz)
    assert (page.campaign, page.reason) == ("vinyl", "Because it fits the text of the page.")
    (plain,) = ads.select(user="new", slot=SLOT, context=at(NOON), explain=False)
    assert plain.explanation is None
    assert plain.reason.startswith("Because it is worth most")


def test_campaigns_are_loaded_from_the_catalog_by_another_client() -> None:
    server = server_at()
    AdClient(FakePenchant(server)).put_campaigns(three())
    other = AdClient(FakePenchant(server))
    assert other.load_campaigns(["tea", "tents"]) == (three()[1], three()[0])
    (decision,) = other.select(user="ann", slot=SLOT, context=at(NOON))
    assert decision.campaign == "tents"
    with pytest.raises(InvalidRequest, match="got nothing, expected campaigns"):
        other.load_campaigns(["nothing"])


async def _async_day(server: FakeServer) -> list[str]:
    ads = AsyncAdClient(AsyncFakePenchant(server), calibration=HALF)
    await ads.put_campaigns(three(caps=(FrequencyCap(1, Per.DAY),)))
    seen = []
    for minute in range(5):
        when = NOON + timedelta(minutes=minute)
        for decision in await ads.select(user="ann", slot=SLOT, context=at(when)):
            await ads.impression(decision, at=when)
            await ads.click(decision, at=when)
            await ads.conversion(decision, value=Money.of(5), at=when)
            seen.append(decision.campaign)
    assert await ads.load_campaigns(["tea"]) == (ads.campaigns["tea"],)
    return seen


def test_the_async_client_is_the_twin() -> None:
    import asyncio

    assert sorted(asyncio.run(_async_day(server_at()))) == ["tea", "tents", "vinyl"]
