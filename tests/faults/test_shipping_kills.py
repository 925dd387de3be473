"""`penchant ship` ended at each of its steps: the next run leaves no row out and none doubled."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from penchant.store.base import Store
from penchant.store.memory import MemoryStore
from tests.support.ship_steps import COMMIT_ROWS, TRIM_S, Dies, Mortal, ship_and_die
from tests.support.shipped_world import (
    copied,
    gone_on,
    in_a_file,
    opened,
    rows_in,
    ship_once,
    shipped_rows,
    short_history,
    world_in,
)
from tests.support.world import copy_of

ROOT = Path(__file__).resolve().parents[2]
KILLED_AT = (3, 11, 19, 27)


class Expected:
    """A store whose log is partly shipped, and what all further runs must come to."""

    def __init__(self, folder: Path) -> None:
        self.origin = folder / "origin"
        self.store = MemoryStore()
        world = world_in(self.origin, self.store)
        short_history(world)
        ship_once(self.origin, self.store, commit_rows=5)
        gone_on(world)
        self.everything = shipped_rows(self.origin / "log", self.store)
        whole, store = copied(self.origin, "whole"), copy_of(self.store)
        ship_once(whole, store, commit_rows=COMMIT_ROWS, trim_older=TRIM_S, compact=True)
        self.left = rows_in(store)
        assert shipped_rows(whole / "log") == self.everything
        assert len(self.left) < len(self.everything)

    def assert_reached(self, directory: Path, store: Store) -> None:
        """Runs once more; nothing is left out, doubled or left behind."""
        # Between the two runs, the files that count are part of the truth, each once.
        half = [(row.event.user, row.event.event_id) for row in shipped_rows(directory / "log")]
        assert len(half) == len(set(half)), directory.name
        ship_once(directory, store, commit_rows=COMMIT_ROWS, trim_older=TRIM_S, compact=True)
        assert shipped_rows(directory / "log") == self.everything, directory.name
        assert rows_in(store) == self.left, directory.name
        named = {path.name for path in (directory / "log").rglob("*.parquet")}
        assert len(named) == len([*(directory / "log").glob("date=*")]) + 1, directory.name


@pytest.fixture
def expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Expected:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # A kill needs none.
    return Expected(tmp_path)


def test_an_end_at_any_step_loses_no_row_and_doubles_none(expected: Expected) -> None:
    for last in itertools.count():
        directory, store = copied(expected.origin, f"ended-{last}"), copy_of(expected.store)
        try:
            ship_and_die(store, directory, Mortal(last))
            died = False
        except Dies:
            died = True
        expected.assert_reached(directory, store)
        shutil.rmtree(directory)
        if not died:
            break
    assert last > 30  # Every step of the job is among them.


def test_a_kill_leaves_what_an_end_leaves(expected: Expected) -> None:
    directories = [copied(expected.origin, f"killed-{number}") for number in KILLED_AT]
    for directory in directories:
        in_a_file(expected.store, directory)
    command = [sys.executable, "-m", "tests.support.ship_steps", *map(str, directories)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) == len(directories)
    for directory in directories:
        store = opened(directory)
        expected.assert_reached(directory, store)
        store.close()
