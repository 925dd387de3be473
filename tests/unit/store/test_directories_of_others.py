"""A refused open leaves the directory as it was, whatever lies in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store.lmdb import LmdbStore
from penchant.store.lmdb_environment import IDENTITY_KEY
from tests.support.foreign_directories import IN_PLACE, state, write_lmdb


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
    write_lmdb(tmp_path / "data.mdb", {b"train": b"1"})
    with pytest.raises(StoreUnavailable, match="another program's"):
        LmdbStore(tmp_path)


@pytest.mark.parametrize("rows", [{}, {b"H": b"a head", b"UTanna\x00\x01": b"a record"}])
def test_a_store_of_a_release_without_identities_opens(
    tmp_path: Path, rows: dict[bytes, bytes]
) -> None:
    write_lmdb(tmp_path / "data.mdb", rows)
    LmdbStore(tmp_path).close()


def test_the_identity_alone_makes_a_store(tmp_path: Path) -> None:
    write_lmdb(tmp_path / "data.mdb", {IDENTITY_KEY: bytes(24), b"\x01": b"of a later release"})
    LmdbStore(tmp_path).close()
