"""The game clients, on the fake: both say the same, and what happened once counts once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from penchant_sdk import EventStatus, InvalidEvent, InvalidRequest, PlackettLuce, UnknownItem
from penchant_sdk.games import (
    AsyncGameClient,
    Game,
    GameClient,
    PartOfDay,
    ReasonKind,
    Session,
    Stars,
)
from penchant_sdk.games._operations import CACHE_GAMES, GameCache
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant

GAMES = [
    Game("gnuchess", "GNU Chess", "board game of chess with kings and queens", genres=("chess",)),
    Game("xboard", "XBoard", "board game of chess with a clock", genres=("chess",)),
    Game("trigger", "Trigger", "rally car race on muddy roads", genres=("racing",)),
    Game("torcs", "TORCS", "car race on fast roads", genres=("racing",)),
    Game("nethack", "NetHack", "dungeon of monsters and scrolls", genres=("roguelike",)),
]
HERE = Session("s1", PartOfDay.EVENING)
NOW = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def games() -> GameClient:
    client = GameClient(FakePenchant(signals="games"))
    client.put_games(GAMES)
    return client


def play(games: GameClient, game: str, minutes: int = 40) -> None:
    time = timedelta(minutes=minutes)
    games.played(user="ann", game=game, played_for=time, session=HERE, at=NOW)


def test_a_list_has_games_reasons_and_places(games: GameClient) -> None:
    newcomer = games.recommend(user="ann", session=HERE, k=3)
    assert newcomer.cold_start
    assert [item.position for item in newcomer.items] == [1, 2, 3]
    assert {item.reason.kind for item in newcomer.items} == {ReasonKind.POPULAR}
    play(games, "gnuchess")
    later = games.recommend(user="ann", session=HERE, k=2, exclude_played=True)
    assert later.games[0] == GAMES[1]
    assert later.items[0].reason.game == "gnuchess"
    assert "GNU Chess" in str(later.items[0].reason)


def test_a_game_that_was_bought_leaves_at_once(games: GameClient) -> None:
    games.purchased(user="ann", game="torcs", session=HERE)
    assert "torcs" not in games.recommend(user="ann", session=HERE).ids
    assert "torcs" in games.recommend(user="bob", session=HERE).ids


def test_a_reason_names_the_game_played_longest_not_the_last(games: GameClient) -> None:
    for game, minutes, before in (("xboard", 300, 2), ("gnuchess", 40, 1)):
        games.played(
            user="ann",
            game=game,
            played_for=timedelta(minutes=minutes),
            session=HERE,
            at=NOW - timedelta(hours=before),
        )
    games.put_games([Game("shogi", "Shogi", "board game of chess in Japan", genres=("chess",))])
    listed = games.recommend(user="ann", session=HERE, exclude_played=True)
    (shogi,) = [item for item in listed.items if item.game.id == "shogi"]
    assert shogi.reason.game == "xboard"


def test_an_event_of_the_session_changes_the_next_list(games: GameClient) -> None:
    for game in ("gnuchess", "xboard"):
        play(games, game)
    before = games.recommend(user="ann", session=HERE, k=3, exclude_played=True)
    tonight = Session("s2", PartOfDay.EVENING)
    games.played(user="ann", game="trigger", played_for=timedelta(minutes=40), session=tonight)
    after = games.recommend(user="ann", session=tonight, k=3, exclude_played=True)
    assert "trigger" in before.ids
    assert after.ids[0] == "torcs"
    assert after.items[0].reason.game == "trigger"


def test_more_like_leaves_the_game_itself_out_and_says_so(games: GameClient) -> None:
    listed = games.recommend(user="ann", session=HERE, k=4, more_like="trigger")
    assert "trigger" not in listed.ids
    assert listed.ids[0] == "torcs"
    assert str(listed.items[0].reason) == "more like Trigger"
    with pytest.raises(UnknownItem, match="more_like"):
        games.recommend(user="ann", session=HERE, more_like="tetris")
    with pytest.raises(InvalidRequest, match="more_like"):
        games.recommend(user="a", session=HERE, more_like="torcs", explore=PlackettLuce(1.0))


def test_a_repeated_list_is_one_call(games: GameClient, monkeypatch: pytest.MonkeyPatch) -> None:
    games.recommend(user="ann", session=HERE)
    server = games._penchant._sender._transport
    models: list[str] = []
    infer = server.infer

    def counting(model: str, payload: bytes, timeout_s: float) -> bytes:
        models.append(model)
        return infer(model, payload, timeout_s)

    monkeypatch.setattr(server, "infer", counting)
    games.recommend(user="ann", session=HERE)
    assert models == ["penchant_rank"]
    games.put_games([Game("new", "New")])
    assert "new" in games.recommend(user="ann", session=HERE).ids


def signals(games: GameClient, session: Session, at: datetime) -> dict[str, Callable[[], object]]:
    def told(name: str, **more: object) -> Callable[[], object]:
        method = getattr(games, name)
        return lambda: method(user="ann", game="torcs", session=session, at=at, **more)

    return {
        "started": told("started"),
        "played": told("played", played_for=timedelta(minutes=9)),
        "levelled": told("levelled", level=3),
        "purchased": told("purchased"),
        "skipped": told("skipped"),
        "rated": told("rated", stars=4),
        "uninstalled": told("uninstalled"),
    }


def test_every_signal_counts_once_however_often_it_is_told(games: GameClient) -> None:
    for name, tell in signals(games, HERE, NOW).items():
        first, second = tell(), tell()
        assert getattr(first, "status", None) is EventStatus.ACCEPTED, name
        assert getattr(second, "status", None) is EventStatus.DUPLICATE, name
    window = games._penchant.user("ann").window
    assert len(window) == 7


def test_a_repeated_signal_writes_nothing_to_the_log(
    games: GameClient, caplog: pytest.LogCaptureFixture
) -> None:
    for at in (NOW, NOW + timedelta(minutes=1)):
        result = games.purchased(user="ann", game="torcs", session=HERE, at=at)
    assert result.status is EventStatus.DUPLICATE
    assert not caplog.records


def test_in_another_session_all_but_a_purchase_count_again(games: GameClient) -> None:
    for tell in signals(games, HERE, NOW).values():
        tell()
    later = NOW + timedelta(minutes=30)
    again = {name: tell() for name, tell in signals(games, Session("s2"), later).items()}
    twice = {
        name
        for name, result in again.items()
        if getattr(result, "status", None) is EventStatus.DUPLICATE
    }
    assert twice == {"purchased"}


def test_minutes_and_stars_travel_as_values(games: GameClient) -> None:
    play(games, "torcs", minutes=90)
    games.rated(user="ann", game="torcs", stars=2, session=HERE)
    events = [row.event for row in games._penchant.export_user("ann").events]
    assert [(event.signal, event.value) for event in events] == [("played", 90.0), ("rated", 2.0)]
    assert events[0].context == HERE.context


def test_what_was_shown_is_told_with_its_places_once(games: GameClient) -> None:
    listed = games.recommend(user="ann", session=HERE, k=3)
    ack = games.shown(user="ann", recommendations=listed, session=HERE)
    assert not ack.refused
    again = games.shown(user="ann", recommendations=listed, session=HERE)
    assert {result.status for result in again.results} == {EventStatus.DUPLICATE}
    rows = [row.event for row in games._penchant.export_user("ann").events]
    assert [row.exposure.position for row in rows if row.exposure] == [1, 2, 3]
    assert {row.recommendation_id for row in rows} == {listed.recommendation_id}


def test_explored_lists_say_how_likely_they_were(games: GameClient) -> None:
    listed = games.recommend(user="ann", session=HERE, k=3, explore=PlackettLuce(5.0), seed=1)
    assert listed.explored
    assert all(0 < item.propensity < 1 for item in listed.items)
    assert {item.reason.kind for item in listed.items} == {ReasonKind.NEW}


def test_a_wrong_argument_is_refused_before_it_is_sent(games: GameClient) -> None:
    with pytest.raises(InvalidEvent, match="timedelta"):
        games.played(user="ann", game="torcs", played_for=timedelta(-1), session=HERE)
    stars: Stars = 6  # type: ignore[assignment]
    with pytest.raises(InvalidEvent, match="stars"):
        games.rated(user="ann", game="torcs", stars=stars, session=HERE)
    with pytest.raises(UnknownItem):
        games.started(user="ann", game="tetris", session=HERE)
    session: Session = "s1"  # type: ignore[assignment]
    with pytest.raises(InvalidRequest, match="expected a Session"):
        games.recommend(user="ann", session=session)


def test_both_clients_have_the_same_verbs_with_the_same_arguments() -> None:
    def verbs(kind: type) -> dict[str, list[str]]:
        return {
            name: [str(one) for one in inspect.signature(method).parameters.values()]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert verbs(GameClient) == verbs(AsyncGameClient)
    for name in verbs(GameClient):
        assert getattr(GameClient, name).__doc__ == getattr(AsyncGameClient, name).__doc__


def test_the_async_client_says_the_same(games: GameClient) -> None:
    time = timedelta(minutes=40)

    async def run() -> tuple[str, ...]:
        games = AsyncGameClient(AsyncFakePenchant(signals="games"))
        await games.put_games(GAMES)
        await games.played(user="ann", game="torcs", played_for=time, session=HERE)
        await games.purchased(user="ann", game="nethack", session=HERE)
        listed = await games.recommend(user="ann", session=HERE, exclude_played=True)
        await games.shown(user="ann", recommendations=listed, session=HERE)
        return listed.ids

    games.played(user="ann", game="torcs", played_for=time, session=HERE)
    games.purchased(user="ann", game="nethack", session=HERE)
    assert asyncio.run(run()) == games.recommend(user="ann", session=HERE, exclude_played=True).ids


def test_a_full_cache_is_emptied() -> None:
    cache = GameCache()
    cache.use_version(1)
    cache.put(Game(str(n), "x").to_item() for n in range(CACHE_GAMES + 1))
    cache.use_version(1)
    assert cache.missing(["1", "1"]) == ["1"]
