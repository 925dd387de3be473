"""A command that is named a directory without a store makes nothing there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.foreign_directories import IN_PLACE, state

COMMANDS = [
    ["doctor"],
    ["evaluate"],
    ["refresh"],
    ["rebuild", "records"],
    ["compact"],
    ["releases"],
    ["audit", "verify"],
    ["ads", "report"],
    ["config", "show"],
    ["calibrate"],
    ["backup", "--to", "copy"],
    ["ship", "--to", "shipped"],
    ["impressions", "--output", "impressions.parquet"],
]


@pytest.mark.parametrize("kind", ["no store", *IN_PLACE])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_makes_nothing_where_no_store_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], kind: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "notes.txt").touch()
    IN_PLACE.get(kind, Path)(place / "data.mdb")
    monkeypatch.chdir(tmp_path)
    before = state(place)
    run([*command, "--store", f"lmdb:{place}"])
    assert state(place) == before
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
