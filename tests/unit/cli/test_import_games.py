"""`penchant import games` against the SDK's fake."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.cli import client
from penchant.cli.import_games import snapshot_games
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


def test_the_carried_games_are_whole() -> None:
    games = {game.id: game for game in snapshot_games()}
    assert games["0ad"].genres == ("strategy",)
    assert all(game.summary and game.genres and game.description for game in games.values())
    assert [Game.from_item(game.to_item()) for game in games.values()] == list(games.values())
