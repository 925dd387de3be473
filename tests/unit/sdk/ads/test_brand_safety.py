"""A campaign is not shown on a page about a topic that it avoids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from grpc import StatusCode

from penchant_sdk.ads import AdClient, AdContext, Money, Size, Slot
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.unit.sdk.ads.campaigns import campaign

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SLOT = Slot("article", Size(300, 250))
RICH = Money.of(10**6)
CAREFUL = campaign("tents", budget=RICH, avoids=frozenset({"plane crash", "war"}))
OTHER = campaign("vinyl", "Jazz records", budget=RICH)


def shown(ads: AdClient, page_text: str) -> set[str]:
    context = AdContext(page_text, at=NOON)
    found = ads.select(user="ann", slot=SLOT, context=context, n=2, explain=False)
    return {decision.campaign for decision in found}


def client(server: FakeServer | None = None) -> AdClient:
    ads = AdClient(FakePenchant(server or FakeServer(signals="default,ads")))
    ads.put_campaigns([CAREFUL, OTHER])
    return ads


def test_a_page_about_a_topic_shows_no_ad_that_avoids_it() -> None:
    ads = client()
    assert shown(ads, "Plane crash: nine dead") == {"vinyl"}
    assert shown(ads, "Camping by the sea. Bring a tent.") == {"tents", "vinyl"}
    assert shown(ads, "") == {"tents", "vinyl"}


def test_the_threshold_is_the_callers() -> None:
    strict = AdClient(FakePenchant(signals="default,ads"), [CAREFUL], unsafe_from=-1.0)
    strict.put_campaigns([CAREFUL])
    assert shown(strict, "Camping by the sea") == set()


def test_where_the_page_cannot_be_read_the_careful_campaign_stays_off() -> None:
    server = FakeServer(signals="default,ads")
    ads = client(server)
    server.fail_next("the encoder is away", code=StatusCode.INTERNAL)
    assert shown(ads, "Camping by the sea") == {"vinyl"}
    assert shown(ads, "Camping by the sea") == {"tents", "vinyl"}


def test_topics_are_encoded_once() -> None:
    server = FakeServer(signals="default,ads")
    ads = client(server)
    shown(ads, "Camping by the sea")
    first = ads._knowledge.topics
    assert set(first.vectors) == {"plane crash", "war"}
    shown(ads, "Jazz of the year")
    assert ads._knowledge.topics.vectors == first.vectors


def test_wrong_topics_are_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="avoids"):
        campaign(avoids="war")
    with pytest.raises(InvalidRequest, match="unsafe_from"):
        AdClient(FakePenchant(signals="ads"), unsafe_from="much")  # type: ignore[arg-type] # Wrong on purpose.
