"""`penchant import games` against the SDK's fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.cli import client
from penchant.cli.import_games import snapshot_games
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_source
from penchant.logs.refusals import LeftOut
from penchant_sdk.games import Game, GameClient, Session
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support import command
from tests.support.command import Ran

CONTROL = """\
Package: gnuchess
Section: games
Tag: game::board:chess, role::program
Description: Plays a game of chess
 With all the rules.

Package: gnuchess-book
Section: games
Description: book of openings for chess
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    return server


@pytest.fixture
def control(tmp_path: Path) -> Path:
    path = tmp_path / "available"
    path.write_text(CONTROL)
    return path


def run(*arguments: object) -> Ran:
    return command.run(["import", *arguments])


def test_games_of_a_file_can_be_recommended(server: FakeServer, control: Path) -> None:
    out = run("games", "--file", control).output
    assert "1 game: chess 1" in out
    assert "1 new or changed" in out
    (game,) = GameClient(FakePenchant(server)).recommend(user="a", session=Session("s")).games
    assert game == Game(
        "gnuchess", "gnuchess", "Plays a game of chess", "With all the rules.", ("chess",)
    )
    assert "1 unchanged" in run("games", "--file", control).output


def test_a_written_file_is_what_import_items_takes(
    server: FakeServer, control: Path, tmp_path: Path
) -> None:
    written = tmp_path / "games.parquet"
    run("games", "--file", control, "--output", written)
    assert FakePenchant(server).get_items(["gnuchess"]).unknown == ("gnuchess",)
    run("items", written)
    (item,) = FakePenchant(server).get_items(["gnuchess"]).items
    assert Game.from_item(item).genres == ("chess",)


def test_a_file_without_games_is_refused(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    result = run("games", "--file", path)
    assert (result.exit_code, "section games" in result.stderr) == (1, True)


LOG = """\
ann,Portal,purchase,1.0,0
ann,Portal,play,"1,234.5",0
ann,Dota 2,purchase,1.0,0
ann,Dota 2,play,3.0,0
ann,Unplayed,purchase,1.0,0
bob,Portal,play,2.0,0
bob,Dota 2,play,900,0
"""


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    path = tmp_path / "hours.csv"
    path.write_text(LOG)
    return path


@pytest.fixture
def games_server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer(signals="games")
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    return server


def test_games_and_hours_of_a_log_reach_the_server_once(
    games_server: FakeServer, hours: Path
) -> None:
    result = run("games", "--hours", hours)
    assert result.exit_code == 0, result.output
    assert "2 players, 3 games, 5 events" in result.output
    assert "no row has a time; each player's games come in order of hours" in result.output
    assert "5 events accepted" in result.output
    again = run("games", "--hours", hours).output
    assert "0 games put, 3 known already" in again
    assert "0 events accepted, 5 known already" in again


def test_what_is_in_the_library_leaves_the_players_lists(
    games_server: FakeServer, hours: Path
) -> None:
    run("games", "--hours", hours)
    games = GameClient(FakePenchant(games_server))
    assert games.recommend(user="ann", session=Session("s")).ids == ()
    assert games.recommend(user="bob", session=Session("s")).ids == ("Unplayed",)


def test_a_log_does_not_replace_a_game_with_its_description(
    games_server: FakeServer, hours: Path
) -> None:
    games = GameClient(FakePenchant(games_server))
    games.put_games([Game("Portal", "Portal", "puzzles with portals", genres=("puzzle",))])
    assert "2 games put, 1 known already" in run("games", "--hours", hours).output
    (item,) = FakePenchant(games_server).get_items(["Portal"]).items
    assert Game.from_item(item).summary == "puzzles with portals"


def test_a_server_for_something_else_is_named(server: FakeServer, hours: Path) -> None:
    result = run("games", "--hours", hours)
    assert result.exit_code == 1
    assert "penchant serve --set signals=games" in result.output


def test_the_written_files_are_what_evaluate_reads(hours: Path, tmp_path: Path) -> None:
    games, events = tmp_path / "games.parquet", tmp_path / "events.parquet"
    run("games", "--hours", hours, "--output", games, "--events-output", events)
    source = LogSource(items=games, events=events)
    items, log = read_source(source, LeftOut(), "nothing")
    assert [item.text for item in items] == ["Portal", "Dota 2", "Unplayed"]
    assert sorted((event.user, event.item, event.signal) for event in log)[0] == (
        "ann", "Dota 2", "played_less",
    )  # fmt: skip


def test_options_of_hours_need_hours(control: Path, hours: Path) -> None:
    assert "without --hours" in run("games", "--file", control, "--map", "a=user").stderr
    assert "neither --file" in run("games", "--hours", hours, "--snapshot").stderr


def test_the_carried_games_are_whole() -> None:
    games = {game.id: game for game in snapshot_games()}
    assert games["0ad"].genres == ("strategy",)
    assert all(game.summary and game.genres and game.description for game in games.values())
    assert [Game.from_item(game.to_item()) for game in games.values()] == list(games.values())
