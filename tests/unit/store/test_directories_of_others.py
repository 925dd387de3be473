"""A refused open leaves the directory as it was, whatever lies in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store.lmdb import LmdbStore
from penchant.store.lmdb_environment import IDENTITY_KEY
from tests.support.command import run


def _lmdb_file(place: Path, rows: dict[bytes, bytes]) -> None:
    made = place.with_suffix(".made")
    env = lmdb.open(str(made), subdir=False, lock=False)
    with env.begin(write=True) as transaction:
        for key, value in rows.items():
            transaction.put(key, value)
    env.close()
    made.rename(place)


def _shortened(place: Path) -> None:
    _lmdb_file(place, {b"%d" % number: bytes(2000) for number in range(9)})
    place.write_bytes(place.read_bytes()[:-8192])


IN_PLACE: dict[str, Callable[[Path], object]] = {
    "another program's LMDB": lambda data: _lmdb_file(data, {b"train": b"1", b"Users": b"2"}),
    "another file": lambda data: data.write_bytes(b"x" * 9000),
    "no bytes": lambda data: data.touch(),
    "a truncated file": _shortened,
    "a directory": lambda data: data.mkdir(),
    "a lost file": lambda data: (data.parent / "writer.lock").touch(),
}


def state(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in directory.iterdir()
    }


@pytest.mark.parametrize("kind", IN_PLACE)
def test_a_refused_open_leaves_the_directory_as_it_was(tmp_path: Path, kind: str) -> None:
    IN_PLACE[kind](tmp_path / "data.mdb")
    before = state(tmp_path)
    with pytest.raises(StoreUnavailable, match=r"store: .*data\.mdb"):
        LmdbStore(tmp_path)
    assert state(tmp_path) == before


def test_another_programs_file_beside_a_journal_is_not_taken_either(tmp_path: Path) -> None:
    LmdbStore(tmp_path).close()
    (tmp_path / "data.mdb").unlink()
    _lmdb_file(tmp_path / "data.mdb", {b"train": b"1"})
    with pytest.raises(StoreUnavailable, match="another program's"):
        LmdbStore(tmp_path)


@pytest.mark.parametrize("rows", [{}, {b"H": b"a head", b"UTanna\x00\x01": b"a record"}])
def test_a_store_of_a_release_without_identities_opens(
    tmp_path: Path, rows: dict[bytes, bytes]
) -> None:
    _lmdb_file(tmp_path / "data.mdb", rows)
    LmdbStore(tmp_path).close()


def test_the_identity_alone_makes_a_store(tmp_path: Path) -> None:
    _lmdb_file(tmp_path / "data.mdb", {IDENTITY_KEY: bytes(24), b"\x01": b"of a later release"})
    LmdbStore(tmp_path).close()


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
