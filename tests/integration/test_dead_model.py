"""A model process that dies is noticed, and what the others do goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penchant.launch import Server, probe
from penchant_sdk import DeadlineExceeded, Event, Item, Penchant, PenchantError, Unavailable
from tests.contracts.client_world import unique
from tests.support.served import served

pytestmark = pytest.mark.server


def kill_model(server: Server, name: str) -> None:
    os.kill(server.pids()[name], signal.SIGKILL)
    while name in server.pids():
        pass  # As short as a signal takes; pytest's time limit ends it.


def doctor(server: Server) -> tuple[int, str]:
    run = subprocess.run(
        [sys.executable, "-m", "penchant.cli.main", "doctor", "--target", server.target],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return run.returncode, run.stdout


def test_a_dead_reader_is_noticed_by_the_canary_and_by_doctor(
    tmp_path: Path, server_in: Callable[[Path], Server]
) -> None:
    with (
        served(server_in(tmp_path)) as server,
        Penchant(server.target, timeout_s=60.0) as penchant,
    ):
        film = Item(unique("film"), "A film about a lighthouse")
        penchant.put_items([film])
        kill_model(server, "penchant_rank_0_1")
        results = probe.ask(server.target, times=16, timeout_s=30.0)
        assert {result.model for result in results if not result.alive} == {"penchant_rank"}
        status, table = doctor(server)
        assert status == 1
        failed = [line.split("│")[1].strip() for line in table.splitlines() if "│ fail" in line]
        assert failed == ["penchant_rank"]
        # Every ranking finds the living process, and nothing else has changed. A call that meets
        # the dead one first waits a second for it.
        for _ in range(10):
            assert penchant.rank("u", candidates=[film.id]).ids == (film.id,)
        like = Event(user="u", item=film.id, signal="like")
        assert penchant.feedback([like]).state_version("u") == 1
        assert penchant.get_items([film.id]).items == (film,)
        assert penchant.user("u").state_version == 1


def test_a_verb_whose_only_process_died_is_unavailable(
    tmp_path: Path, server_in: Callable[[Path], Server]
) -> None:
    with (
        served(server_in(tmp_path)) as server,
        Penchant(server.target, timeout_s=60.0) as penchant,
    ):
        film = Item(unique("film"), "A film about a lighthouse")
        penchant.put_items([film])
        kill_model(server, "penchant_feedback_0_0")
        with pytest.raises(Unavailable, match=r"is not healthy.*4 attempts"):
            penchant.feedback([Event(user="u", item=film.id, signal="like")])


def test_without_its_encoder_a_server_still_ranks_and_learns(
    tmp_path: Path, server_in: Callable[[Path], Server]
) -> None:
    with (
        served(server_in(tmp_path)) as server,
        Penchant(server.target, timeout_s=60.0) as penchant,
    ):
        film = Item(unique("film"), "A film about a lighthouse")
        penchant.put_items([film])
        kill_model(server, "penchant_encoder_0_0")
        ack = penchant.feedback([Event(user="u", item=film.id, signal="like")])
        assert penchant.rank("u", candidates=[film.id]).state_version == ack.state_version("u")
        with pytest.raises((Unavailable, DeadlineExceeded)):
            penchant.rank("u", candidates=[film.id], query="a lighthouse", timeout_s=5.0)
        with pytest.raises(PenchantError):
            penchant.put_items([Item(unique("film"), unique("text"))], timeout_s=5.0)
        assert penchant.rank("u", candidates=[film.id]).ids == (film.id,)
        results = probe.ask(server.target, timeout_s=30.0)
        assert {result.model for result in results if not result.alive} == {"penchant_encoder"}
