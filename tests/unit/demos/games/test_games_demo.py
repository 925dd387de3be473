"""The parts of `penchant demo-games` in process: sessions, diversity, a switch of taste, charts."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from demos.demo_tables import latency_table
from demos.games import games_charts, games_tables
from demos.games.diversity_sweep import DIVERSITIES, sweep_diversity
from demos.games.games_simulation import Player, PlayerAction, World, make_players, play, tastes_of
from demos.games.players import GamePlay, K, send_action
from demos.games.simple_recommenders import chance
from demos.games.taste_switch import switch_taste
from penchant.domain.signals import GAMES_SIGNALS
from penchant.logs.datasets.play_signals import OWNED, QUARTERS
from penchant.report.terminal import Terminal
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
    console = Terminal(file=io.StringIO(), width=90)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_signal_of_the_games_table_can_be_sent(client: GameClient) -> None:
    of_lists_and_logs = {"impression", OWNED, *QUARTERS}
    signals = set(GAMES_SIGNALS) - of_lists_and_logs
    for place, name in enumerate(sorted(signals)):
        action = PlayerAction(name, "board-1", 3.0)
        send_action(client, action, user="a", session=Session("s"), at_s=1e9 + place)
    rows = client._penchant.export_user("a").events
    assert {row.event.signal for row in rows} == signals
    with pytest.raises(ValueError, match="expected one of the game client's"):
        send_action(
            client, PlayerAction("clicked", "board-1"), user="a", session=Session("s"), at_s=1.0
        )


def test_players_lists_hold_no_game_that_the_player_knows(
    client: GameClient,
) -> None:
    game_play = GamePlay(client, 3)
    shares = play(WORLD, PLAYERS, 3, game_play.recommender(), seed=1)
    assert shares.shape == (3, len(PLAYERS))
    for player in PLAYERS:
        known = {row.event.item for row in client._penchant.export_user(player.name).events}
        assert not known & set(game_play.ask(player, 2).ids)
    assert len(game_play.feedback_s) > 0
    points = sweep_diversity(game_play, WORLD, PLAYERS, 2)
    assert [one.diversity for one in points] == list(DIVERSITIES)
    assert all(len(listed) == K for one in points for listed in one.lists)


def test_the_results_are_shown_as_tables_and_charts(client: GameClient, tmp_path: Path) -> None:
    game_play = GamePlay(client, 4)
    shares = {
        "Penchant": play(WORLD, PLAYERS, 4, game_play.recommender(), seed=1),
        "chance": play(WORLD, PLAYERS, 4, chance(WORLD.games, 1), seed=1),
    }
    points = sweep_diversity(game_play, WORLD, PLAYERS, 3)
    player = Player("ann", ("board", "card"), ("board", "race"), 0)
    switch = switch_taste(client, WORLD, player, 1, game_play.now_s)
    assert len(switch.lists) == 4
    assert np.isfinite(switch.shares(WORLD)).all()
    names = {game.id: game.name for game in GAMES}
    before, after = (printed(table) for table in games_tables.switch_tables(switch, names))
    assert "For a player of board and card" in before
    assert all(names[game] in after for game in switch.played)
    assert "Race" in after
    assert "a taste changed" in printed(games_tables.sessions_table(shares, 2))
    assert "genres" in printed(games_tables.diversity_table(points))
    assert "p99" in printed(
        latency_table({"recommend": game_play.recommend_s, "signal": game_play.feedback_s})
    )
    paths = [tmp_path / f"{name}.png" for name in ("sessions", "diversity", "switch")]
    games_charts.draw_sessions(shares, 2, paths[0])
    games_charts.draw_diversity(points, paths[1])
    games_charts.draw_switch({"now": switch.shares(WORLD)}, 0.25, paths[2])
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
