"""The clients of ads, games and home refuse a wrong argument by its own name, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from penchant_sdk import InvalidEvent, InvalidRequest
from penchant_sdk.ads import (
    AdClient,
    AdContext,
    Campaign,
    DayPart,
    Flight,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
)
from penchant_sdk.games import Game, GameClient, Session
from penchant_sdk.home import Entity, HomeClient
from penchant_sdk.testing import FakePenchant

YEAR = Flight(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
SLOT = Slot("home", Size(300, 250))
SESSION = Session("s1")
NUMBER: Any = 5
WORD: Any = "word"


def _campaign(**fields: Any) -> Campaign:
    usual: dict[str, Any] = {"id": "c", "text": "t", "advertiser": "a", "flight": YEAR}
    return Campaign(**usual | {"budget": Money.of(1), "bid": Money.of(1)} | fields)


def _ads() -> AdClient:
    return AdClient(FakePenchant(signals="ads"))


WRONG: dict[str, tuple[str, Callable[[], object]]] = {
    "slot.position": ("position", lambda: Slot("home", Size(1, 1), position=WORD)),
    "slot.placement": ("placement", lambda: Slot(NUMBER, Size(1, 1))),
    "slot.size": ("size", lambda: Slot("home", WORD)),
    "slot.utc_offset": ("utc_offset", lambda: Slot("home", Size(1, 1), utc_offset=NUMBER)),
    "context.hour": ("hour", lambda: AdContext(hour=WORD)),
    "context.page_text": ("page_text", lambda: AdContext(NUMBER)),
    "context.surrogate": ("page_text", lambda: AdContext("\ud800")),
    "context.attributes": ("attributes['n']", lambda: AdContext(attributes={"n": NUMBER})),
    "select.n": ("n", lambda: _ads().select(user="u", slot=SLOT, n=WORD)),
    "select.slot": ("slot", lambda: _ads().select(user="u", slot=WORD)),
    "cap.limit": ("cap: limit", lambda: FrequencyCap(WORD, Per.DAY)),
    "cap.per": ("cap: per", lambda: FrequencyCap(3, WORD)),
    "day part": ("day part: from_hour", lambda: DayPart(WORD, 17)),
    "campaign.id": ("id", lambda: _campaign(id=5)),
    "campaign.bid": ("bid", lambda: _campaign(bid=0.4)),
    "campaign.flight": ("flight", lambda: _campaign(flight=None)),
    "game.id": ("game: id", lambda: Game(NUMBER, "Chess")),
    "game.genres": ("game: genres", lambda: Game("c", "Chess", genres=WORD)),
    "session.id": ("session", lambda: Session(NUMBER)),
    "session.device": ("session: device", lambda: Session("s", device=NUMBER)),
    "recommend.k": (
        "k",
        lambda: GameClient(FakePenchant()).recommend(user="u", session=SESSION, k=WORD),
    ),
    "entity.id": ("id", lambda: Entity(NUMBER, "lamp")),
    "entity.aliases": ("aliases", lambda: Entity("light.desk", "lamp", aliases=WORD)),
    "interpret.text": (
        "text",
        lambda: HomeClient(FakePenchant()).interpret(NUMBER, user="u", room=""),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_argument_is_refused_by_its_own_name(case: str) -> None:
    name, call = WRONG[case]
    with pytest.raises((InvalidRequest, InvalidEvent)) as caught:
        call()
    assert str(caught.value).startswith(f"{name}: got ")
    assert ", expected " in str(caught.value)
