"""`penchant ship` killed at each of its steps: the next run leaves no row out and none doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ship_steps import COMMIT_ROWS, TRIM_S
from tests.support.shipped_world import (
    copied,
    gone_on,
    opened,
    rows_in,
    ship_once,
    shipped_rows,
    short_history,
    world_in,
)

ROOT = Path(__file__).resolve().parents[2]
STEPS = 64
"""More than a look, a trim and a rewriting of this log take."""


def test_a_kill_at_any_step_loses_no_row_and_doubles_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # A kill needs none.
    origin = tmp_path / "origin"
    store = opened(origin)
    world = world_in(origin, store)
    short_history(world)
    ship_once(origin, store, commit_rows=5)
    gone_on(world)
    everything = shipped_rows(origin / "log", store)
    store.close()
    whole = copied(origin, "whole")
    store = opened(whole)
    ship_once(whole, store, commit_rows=COMMIT_ROWS, trim_older=TRIM_S, compact=True)
    left = rows_in(store)
    store.close()
    assert shipped_rows(whole / "log") == everything
    assert len(left) < len(everything)

    directories = [copied(origin, f"killed-{number}") for number in range(STEPS)]
    command = [sys.executable, "-m", "tests.support.ship_steps", *map(str, directories)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    died = int(ended.stdout)
    assert 30 < died < STEPS  # Every step of the job is among them.
    for directory in directories[: died + 1]:
        store = opened(directory)
        # Between the two runs, the files that count are part of the truth, each once.
        half = [(row.event.user, row.event.event_id) for row in shipped_rows(directory / "log")]
        assert len(half) == len(set(half)), directory.name
        ship_once(directory, store, commit_rows=COMMIT_ROWS, trim_older=TRIM_S, compact=True)
        assert shipped_rows(directory / "log") == everything, directory.name
        assert rows_in(store) == left, directory.name
        named = {path.name for path in (directory / "log").rglob("*.parquet")}
        assert len(named) == len([*(directory / "log").glob("date=*")]) + 1, directory.name
        store.close()
