"""Regions of the dead are removed, those of the living stay, and too little room is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from penchant.launch import LaunchError, shared_memory
from penchant.launch.shared_memory import Regions

KILLED = """
import os, signal
from penchant.launch import shared_memory
from pathlib import Path
shared_memory.PLACE = Path({place!r})
regions = shared_memory.Regions()
(shared_memory.PLACE / (regions.prefix + "1")).write_text("users' data")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shared_memory, "PLACE", tmp_path)
    return tmp_path


def test_regions_of_a_killed_owner_are_removed_and_those_of_a_living_one_stay(place: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED.format(place=str(place))], check=False)
    assert len(list(place.iterdir())) == 2
    mine = Regions()
    (place / f"{mine.prefix}1").write_text("")
    (place / "penchant_other").write_text("")
    assert len(shared_memory.remove_stale()) == 1
    kept = {path.name for path in place.iterdir()}
    assert kept == {f"{mine.prefix}1", f"{mine.prefix}owner", "penchant_other"}
    mine.close_to_others()
    assert (place / f"{mine.prefix}1").stat().st_mode & 0o077 == 0
    assert mine.remove() == [f"{mine.prefix}1"]
    assert {path.name for path in place.iterdir()} == {"penchant_other"}


@pytest.mark.parametrize(
    ("free_mib", "outcome"), [(4, "expected 12 MiB"), (20, "expected 48 MiB"), (64, "")]
)
def test_too_little_room_is_refused_and_little_room_is_said(
    monkeypatch: pytest.MonkeyPatch, free_mib: int, outcome: str
) -> None:
    monkeypatch.setattr(shared_memory, "free_bytes", lambda place: free_mib << 20)
    if free_mib < 12:
        with pytest.raises(LaunchError, match=rf"got {free_mib} MiB free .*{outcome}"):
            shared_memory.check_room(6)
    else:
        warning = shared_memory.check_room(6)
        assert outcome in warning
        assert bool(warning) == bool(outcome)
