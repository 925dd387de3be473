"""Shipping beside a real server that takes events: killed again and again, it ships each once."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from penchant_sdk import Event, Penchant, UserForgotten
from tests.support.command import run
from tests.support.serve_process import FILMS, serving, wait_until
from tests.support.shipped_world import shipped_rows

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("foreign_clients_direct")]

KILLS = 4
USERS = 7
FORGOTTEN = "user-3"


class Feeder:
    """Sends events until it is told to end, and keeps what was acknowledged."""

    def __init__(self, client: Penchant) -> None:
        self.acked: list[tuple[str, str]] = []
        self._client = client
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        for number in itertools.count():
            if self._ends.is_set():
                return
            user = f"user-{number % USERS}"
            event = Event(user, FILMS[number % 3].id, "like", event_id=f"e{number}")
            try:
                self._client.feedback([event]).raise_for_refused()
            except UserForgotten:  # It was under way when the user was forgotten.
                assert user == FORGOTTEN
            else:
                self.acked.append((user, event.event_id))

    def end(self) -> None:
        self._ends.set()
        self._thread.join()


def test_every_acked_event_is_shipped_once_though_shipping_is_killed_and_the_store_trimmed(
    tmp_path: Path,
) -> None:
    dice = random.Random(3)
    log = tmp_path / "log"
    with serving(tmp_path, ["--refresh-every=never"]) as serve:
        store = f"lmdb:{tmp_path / '.penchant' / 'store'}"
        options = ["--store", store, "--to", str(log), "--trim-older", "10ms"]
        with serve.client() as feeding, serve.client() as other:
            feeder, known = Feeder(feeding), 0
            for kill in range(KILLS):
                command = [sys.executable, "-m", "penchant.cli.main", "ship", *options]
                with subprocess.Popen([*command, "--every", "10ms"]) as shipping:
                    commits = _commits(log)
                    wait_until(lambda: _commits(log) > commits, "a commit")  # noqa: B023
                    time.sleep(dice.uniform(0.0, 0.2))
                    assert shipping.poll() is None
                    shipping.kill()
                if kill == KILLS // 2:
                    other.forget_user(FORGOTTEN)
                    known = len(feeder.acked)
            # One may have been on its way back when the user was forgotten.
            wait_until(lambda: came_back(feeder.acked[known:]) > 1, "events of who was forgotten")
            feeder.end()
        done = run(["ship", *options, "--compact"])
        assert done.exit_code == 0, done.output
    shipped = Counter((row.event.user, row.event.event_id) for row in shipped_rows(log))
    assert max(shipped.values()) == 1
    others = {pair for pair in feeder.acked if pair[0] != FORGOTTEN}
    assert {pair for pair in shipped if pair[0] != FORGOTTEN} == others
    mine = [id_ for user, id_ in shipped if user == FORGOTTEN]
    acked = [id_ for user, id_ in feeder.acked if user == FORGOTTEN]
    # What came after the user was forgotten: the end of what was acked, and not all of it.
    assert 0 < len(mine) < len(acked)
    assert sorted(mine) == sorted(acked[-len(mine) :])


def came_back(acked: list[tuple[str, str]]) -> int:
    """How many of these events are of the user who was forgotten."""
    return sum(user == FORGOTTEN for user, _ in acked)


def _commits(log: Path) -> int:
    """The number of the newest commit."""
    numbers = [path.name.partition(".")[0] for path in (log / "_log").glob("0*.json")]
    return max(map(int, numbers), default=0)
