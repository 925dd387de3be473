"""The parts of `penchant demo-games`, on the SDK's fake: play, ask again, games_tables, draw."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from demos.games import games_charts, games_tables
from demos.games.diversity_sweep import KNOB, turn_knob
from demos.games.games_simulation import Player, PlayerAction, World, make_players, play, tastes_of
from demos.games.players import GamePlay, K, tell
from demos.games.simple_recommenders import chance
from demos.games.taste_switch import turn
from penchant.domain.signals import GAMES_SIGNALS
from penchant_sdk.games import Game, GameClient, Session
from penchant_sdk.testing import FakePenchant

KINDS = ("board", "card", "race", "sport")
GAMES = [
    Game(f"{kind}-{n}", f"{kind.title()} {n}", f"a {kind} game", genres=(kind,))
    for kind in KINDS
    for n in range(25)
]
WORLD = World({game.id: game.genres for game in GAMES})
PLAYERS = make_players(tastes_of(WORLD.genres), 3, 2, seed=1)


@pytest.fixture
def client() -> GameClient:
    client = GameClient(FakePenchant(signals="games"))
    client.put_games(GAMES)
    return client


def printed(table: Table) -> str:
    console = Console(file=io.StringIO(), width=90)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_signal_of_the_games_table_can_be_told(client: GameClient) -> None:
    told = {name for name in GAMES_SIGNALS if name != "impression"}
    for place, name in enumerate(sorted(told)):
        act = PlayerAction(name, "board-1", 3.0)
        tell(client, act, user="a", session=Session("s"), at_s=1e9 + place)
    rows = client._penchant.export_user("a").events
    assert {row.event.signal for row in rows} == told
    with pytest.raises(ValueError, match="expected one of the game client's"):
        tell(client, PlayerAction("clicked", "board-1"), user="a", session=Session("s"), at_s=1.0)


def test_players_are_served_and_their_lists_hold_nothing_that_they_know(
    client: GameClient,
) -> None:
    game_play = GamePlay(client, 3)
    shares = play(WORLD, PLAYERS, 3, game_play.recommender(), seed=1)
    assert shares.shape == (3, len(PLAYERS))
    for player in PLAYERS:
        known = {row.event.item for row in client._penchant.export_user(player.name).events}
        assert not known & set(game_play.ask(player, 2).ids)
    assert len(game_play.feedback_s) > 0
    turned = turn_knob(game_play, WORLD, PLAYERS, 2)
    assert [one.diversity for one in turned] == list(KNOB)
    assert all(len(listed) == K for one in turned for listed in one.lists)


def test_the_end_can_be_read_and_drawn(client: GameClient, tmp_path: Path) -> None:
    game_play = GamePlay(client, 4)
    shares = {
        "Penchant": play(WORLD, PLAYERS, 4, game_play.recommender(), seed=1),
        "chance": play(WORLD, PLAYERS, 4, chance(WORLD.games, 1), seed=1),
    }
    turned = turn_knob(game_play, WORLD, PLAYERS, 3)
    player = Player("ann", ("board", "card"), ("board", "race"), 0)
    switch = turn(client, WORLD, player, 1, game_play.now_s)
    assert len(switch.lists) == 4
    assert np.isfinite(switch.shares(WORLD)).all()
    names = {game.id: game.name for game in GAMES}
    before, after = (printed(table) for table in games_tables.story_tables(switch, names))
    assert "For a player of board and card" in before
    assert all(names[game] in after for game in switch.played)
    assert "Race" in after
    assert "a taste changed" in printed(games_tables.rounds_table(shares, 2))
    assert "kinds" in printed(games_tables.knob_table(turned))
    assert "p99" in printed(games_tables.latency_table(game_play.recommend_s, game_play.feedback_s))
    paths = [tmp_path / f"{name}.png" for name in ("rounds", "knob", "turn")]
    games_charts.draw_rounds(shares, 2, paths[0])
    games_charts.draw_knob(turned, paths[1])
    games_charts.draw_turn({"now": switch.shares(WORLD)}, 0.25, paths[2])
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
