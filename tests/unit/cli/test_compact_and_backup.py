"""`penchant compact` and `penchant backup`: what was forgotten is gone, and a copy is a store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.service.rank import RankRequest
from penchant.store.lmdb import LmdbStore
from tests.support.command import run
from tests.support.world import World, liked

FORGOTTEN = "somebody-who-left"
TEXTS = {"toy": "toy story animation", "heat": "heat crime drama", "alien": "alien space horror"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def world(directory: Path) -> Iterator[World]:
    """A server's services on a store, in this process, from before a user is forgotten."""
    before = os.umask(0)  # Whatever it is, the files are their user's alone.
    store = LmdbStore(directory, map_bytes=1 << 26)
    made = World(directory / "catalog", store=store)
    made.put(**TEXTS)
    for number in range(200):
        made.feed(liked(f"{FORGOTTEN}-{number}", "toy", user=FORGOTTEN), liked(f"{number}", "heat"))
    yield made
    store.close()
    os.umask(before)


def held(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def penchant(*arguments: object) -> str:
    """Runs the command in a process of its own, beside the services in this one."""
    done = subprocess.run(
        [sys.executable, "-m", "penchant.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_byte_of_a_forgotten_user_is_left_after_compacting(
    world: World, directory: Path
) -> None:
    world.users.forget(FORGOTTEN)
    before = (directory / "data.mdb").stat().st_size
    assert "The store's file went from" in penchant("compact", "--store", f"lmdb:{directory}")
    world.feed(liked("after", "alien"))  # The running services follow.
    assert FORGOTTEN.encode() not in held(directory)
    assert (directory / "data.mdb").stat().st_size < before
    assert world.record("u").state_version == 201


def test_a_backup_while_serving_is_a_store_from_which_a_server_starts(
    world: World, directory: Path, tmp_path: Path
) -> None:
    before = world.rank(RankRequest("u", 3))
    (directory / "releases/r1").mkdir(parents=True)
    (directory / "releases/r1/manifest.json").write_text("{}")
    copy = tmp_path / "backup"
    assert "Copied" in penchant("backup", "--store", f"lmdb:{directory}", "--to", copy)
    world.feed(liked("after the backup", "alien"))
    assert (copy / "releases/r1/manifest.json").is_file()
    modes = {path: path.stat().st_mode & 0o077 for path in [copy, *copy.rglob("*")]}
    assert not any(modes.values()), modes
    store = LmdbStore(copy, map_bytes=1 << 26)
    restored = World(copy / "catalog", store=store)
    assert restored.record("u").state_version == 200
    assert restored.rank(RankRequest("u", 3)).ids == before.ids
    assert restored.feed(liked("another", "toy"))
    store.close()


def test_a_backup_holds_the_stores_of_all_tenants(
    world: World, directory: Path, tmp_path: Path
) -> None:
    for tenant in ("acme", "globex"):
        place = directory / "tenants" / tenant
        store = LmdbStore(place, map_bytes=1 << 24)
        other = World(place / "catalog", store=store)
        other.put(toy=f"the toy of {tenant}")
        other.feed(liked("1", "toy", user=f"user-of-{tenant}"))
        store.close()
    copy = tmp_path / "backup"
    said = penchant("backup", "--store", f"lmdb:{directory}", "--to", copy)
    assert "those of 2 tenants included" in said
    for tenant in ("acme", "globex"):
        store = LmdbStore(copy / "tenants" / tenant, map_bytes=1 << 24)
        restored = World(copy / "tenants" / tenant / "catalog", store=store)
        assert restored.record(f"user-of-{tenant}").state_version == 1
        store.close()
    assert not any(path.stat().st_mode & 0o077 for path in [copy, *copy.rglob("*")])


def test_every_file_of_a_store_is_its_users_alone(world: World, directory: Path) -> None:
    world.catalog.delete(["alien"])
    modes = {path: path.stat().st_mode & 0o077 for path in [directory, *directory.rglob("*")]}
    assert not any(modes.values()), modes


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    missing = run(["compact", "--store", f"lmdb:{tmp_path / 'none'}"])
    assert missing.exit_code == 1
    assert "expected lmdb:DIRECTORY of a store" in missing.stderr
    LmdbStore(tmp_path / "store", map_bytes=1 << 22).close()
    given = ["backup", "--store", f"lmdb:{tmp_path / 'store'}", "--to", str(tmp_path)]
    taken = run(given)
    assert taken.exit_code == 1
    assert "which exists, expected a directory to make" in taken.stderr


def test_a_backup_to_a_place_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    LmdbStore(tmp_path / "store", map_bytes=1 << 22).close()
    (tmp_path / "file").write_text("")
    copy = tmp_path / "file" / "copy"
    ran = run(["backup", "--store", f"lmdb:{tmp_path / 'store'}", "--to", copy])
    assert (ran.exit_code, f"{copy} can't be made: " in ran.stderr) == (1, True)
