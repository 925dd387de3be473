"""Code that must type-check: the game clients as they are meant to be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_type

from penchant_sdk import EventResult, FeedbackAck, Penchant, PlackettLuce, PutItemsResult
from penchant_sdk.games import (
    AsyncGameClient,
    Game,
    GameClient,
    PartOfDay,
    Reason,
    Recommendation,
    Recommendations,
    Session,
)
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant


def readme() -> None:
    games = GameClient(Penchant("localhost:8001"))
    put = games.put_games([Game("freeciv", "Freeciv", genres=("strategy",))])
    assert_type(put, PutItemsResult)
    session = Session("s1", PartOfDay.of(datetime.now(UTC)), device="desk")
    listed = games.recommend(user="ann", session=session, k=10, diversity=0.2)
    assert_type(listed, Recommendations)
    assert_type(listed.items, tuple[Recommendation, ...])
    assert_type(listed.items[0].reason, Reason)
    assert_type(games.shown(user="ann", recommendations=listed, session=session), FeedbackAck)
    hour = timedelta(hours=1)
    told = games.played(
        user="ann",
        game=listed.ids[0],
        played_for=hour,
        session=session,
        recommendation_id=listed.recommendation_id,
        at=datetime.now(UTC),
    )
    assert_type(told, EventResult)
    games.rated(user="ann", game="freeciv", stars=5, session=session)
    games.levelled(user="ann", game="freeciv", level=3, session=session, at=1_700_000_000.5)
    games.recommend(user="ann", session=session, more_like="freeciv")
    games.recommend(user="ann", session=session, explore=PlackettLuce(1.0), seed=7)


async def twin() -> None:
    games = AsyncGameClient(AsyncFakePenchant())
    session = Session("s1")
    assert_type(await games.recommend(user="ann", session=session), Recommendations)
    assert_type(await games.started(user="ann", game="a", session=session), EventResult)


def a_fake_serves() -> GameClient:
    return GameClient(FakePenchant())
