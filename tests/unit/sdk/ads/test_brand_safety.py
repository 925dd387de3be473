"""A campaign is not shown on a page about a topic that it avoids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk.ads import AdClient, AdContext, Money, Size, Slot
from penchant_sdk.ads.brand_safety import passages
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


def test_one_sentence_about_a_topic_keeps_the_campaign_off_the_page() -> None:
    ads = client()
    page = "Camping by the sea is fun. After the plane crash nobody camps here. Bring a tent."
    assert shown(ads, page) == {"vinyl"}
    assert shown(ads, "Camping by the sea. Bring a tent.") == {"tents", "vinyl"}
    assert shown(ads, "") == {"tents", "vinyl"}


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


@given(st.text(max_size=300))
def test_a_page_has_a_few_passages_and_its_whole_text_first(page: str) -> None:
    found = passages(page)
    assert found[0] == page
    assert len(found) <= 16
    assert all(found[1:])


def test_wrong_topics_are_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="avoids"):
        campaign(avoids="war")
    with pytest.raises(InvalidRequest, match="unsafe_from"):
        AdClient(FakePenchant(signals="ads"), unsafe_from="much")  # type: ignore[arg-type] # Wrong on purpose.
