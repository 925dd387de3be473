"""The game client on a real Triton, by the example that users start from."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demos.games.players import GAME_SETTINGS
from penchant.cli.import_games import snapshot_games
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Penchant
from penchant_sdk.games import GameClient, Session
from tests.support import command
from tests.support.served import served

pytestmark = pytest.mark.server

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "games.py"
KINDS = {"racing", "chess"}


@pytest.fixture(scope="module")
def target(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for games that holds those of a few kinds: encoding all takes long."""
    directory = tmp_path_factory.mktemp("games")
    settings = [f"{name}={value}" for name, value in GAME_SETTINGS.items()]
    parameters = gather(f"lmdb:{directory / 'store'}", encoder, settings)
    with served(Server(directory / "server", parameters)) as server:
        with Penchant(server.target, timeout_s=60) as penchant:
            some = [game for game in snapshot_games() if KINDS & set(game.genres)]
            GameClient(penchant).put_games(some)
        yield server.target


def test_the_example_runs_as_it_is_written(target: str) -> None:
    run = subprocess.run(
        [sys.executable, str(EXAMPLE), target],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    new, races, owned, like = run.stdout.strip().split("\n\n")
    assert new.count("popular now") == 5
    assert races.count("racing") >= 3
    assert re.search(r"because you (played|rated)|more like", races)
    assert "torcs " not in owned
    assert like.count("chess") >= 3
    assert "more like gnuchess" in like


def test_a_log_of_hours_decides_lists_and_reasons(target: str, tmp_path: Path) -> None:
    log = tmp_path / "hours.csv"
    log.write_text(
        'eve,torcs,purchase,1.0\neve,torcs,play,"1,100.5"\neve,trigger-rally,play,2.0\n'
        "eve,gnuchess,purchase,1.0\nmax,trigger-rally,play,90.0\nmax,torcs,play,3.0\n"
    )
    found = command.run(["import", "games", "--hours", str(log), "--target", target])
    assert found.exit_code == 0, found.output
    assert "5 events accepted" in found.output
    assert "0 games put, 3 known already" in found.output
    with Penchant(target, timeout_s=60) as penchant:
        listed = GameClient(penchant).recommend(user="eve", session=Session("tonight"), k=5)
    assert not {"torcs", "trigger-rally", "gnuchess"} & set(listed.ids)
    races = [item.reason for item in listed.items if "racing" in item.game.genres]
    assert races
    assert {reason.game for reason in races} == {"torcs"}


def test_the_settings_of_the_docs_and_of_the_example_are_the_demos() -> None:
    pages = [EXAMPLE, EXAMPLE.parents[1] / "docs" / "clients" / "games.md"]
    for page in pages:
        told = dict(re.findall(r"--set (\w+)=(\S+)", page.read_text(encoding="utf-8")))
        assert told == dict(GAME_SETTINGS), page.name
