"""Root changes nothing in another user's store, and is told whom to be instead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store.open import open_store
from penchant.store.store_owner import check_owner

ANOTHER = 12_345


def files_in(directory: Path) -> dict[str, tuple[int, int]]:
    """Each file's owner and the time of its last change."""
    return {
        path.name: (path.stat().st_uid, path.stat().st_mtime_ns) for path in directory.iterdir()
    }


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of another user, as root sees it."""
    directory = tmp_path / "store"
    open_store(f"lmdb:{directory}").close()
    for path in directory.iterdir():
        if path.name != "data.mdb":
            path.unlink()  # As in a restored backup, where whoever comes first makes them.
    if os.geteuid() == 0:
        for path in (directory, directory / "data.mdb"):
            os.chown(path, ANOTHER, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    return directory


def test_root_is_refused_before_it_makes_a_file(store: Path) -> None:
    before = files_in(store)
    with pytest.raises(StoreUnavailable, match=r"got the user root, expected .*sudo -u "):
        open_store(f"lmdb:{store}")
    assert files_in(store) == before


def test_others_open_what_the_system_lets_them(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ANOTHER)
    check_owner(store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", [".", "data.mdb"])
def test_root_opens_what_is_partly_its_own(store: Path, name: str) -> None:
    os.chown(store / name, 0, -1)
    open_store(f"lmdb:{store}").close()


def test_a_place_without_a_store_is_nobodys(tmp_path: Path) -> None:
    check_owner(tmp_path / "none")
