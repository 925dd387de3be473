"""A power cut at any moment, whatever of the unsynced reached the disk, loses no acked write."""

from __future__ import annotations

import importlib
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.store.lmdb import LmdbStore
from tests.contracts.store_laws import apply, contents
from tests.support.numbered_writer import content_after
from tests.support.recorded_disk import RecordedDisk
from tests.support.storekeeper import MAP_BYTES, storekeeper

ROOT = Path(__file__).resolve().parents[2]
WRITER = "tests.support.numbered_writer"
LUCK: tuple[dict[str, float], ...] = (
    {"": 0.5},
    {"": 0.05},
    {"": 0.95},
    {"": 0.0},
    {"": 1.0},
    {"": 0.0, "data.mdb": 0.9},
    {"": 1.0, "data.mdb": 0.1},
)
"""What share of the unsynced reached the disk, by file."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store's, with a first content."""
    place = tmp_path / "store"
    store = LmdbStore(place, map_bytes=MAP_BYTES)
    apply(store, sorted(content_after(-1).items()))
    store.close()
    return place


@pytest.fixture
def disk(directory: Path, tmp_path: Path) -> RecordedDisk:
    (tmp_path / "record").mkdir()
    return RecordedDisk(directory, tmp_path / "record")


def command(directory: Path, first: int, count: int, end: str) -> list[str]:
    return [sys.executable, "-m", WRITER, str(directory), str(first), str(count), end]


def run(disk: RecordedDisk, directory: Path, first: int, count: int, end: str) -> None:
    subprocess.run(
        command(directory, first, count, end),
        cwd=ROOT,
        env=disk.environment,
        check=True,
        timeout=300,
    )


def cuts(disk: RecordedDisk, place: Path, count: int, seed: int) -> Iterator[tuple[Path, int]]:
    """Directories after power cuts, each with the number of the last acked transaction."""
    steps, dice = disk.steps(), random.Random(seed)
    for number in range(count):
        target = place / f"cut-{seed}-{number}"
        until = dice.randrange(len(steps) + 1)
        acked = disk.cut(steps[:until], target, dice, LUCK[number % len(LUCK)])
        yield target, max((int(one) for one in acked), default=-1)
        shutil.rmtree(target)


def number_in(store: LmdbStore) -> int:
    """The transaction whose content the store has, row by row."""
    found = dict(contents(store))
    number = int(found.get(b"last", b"-1"))
    assert found == content_after(number)
    return number


def assert_kept(target: Path, acked: int) -> None:
    """The store has all that was acked, nothing in part, and goes on."""
    store = LmdbStore(target, map_bytes=MAP_BYTES)
    try:
        found = number_in(store)
        assert acked <= found <= acked + 1, "one more may have been under way"
        apply(store, [(b"goes on", b"x")])
    finally:
        store.close()
    verify = importlib.import_module("lmdb.verify")
    assert not verify.verify(str(target / "data.mdb"), subdir=False)
    again = LmdbStore(target, map_bytes=MAP_BYTES)
    assert dict(contents(again)) == content_after(found) | {b"goes on": b"x"}
    again.close()


def test_a_power_cut_at_any_moment_loses_no_acked_transaction(
    disk: RecordedDisk, directory: Path, tmp_path: Path
) -> None:
    run(disk, directory, 0, 60, "close")
    ends = set()
    for target, acked in cuts(disk, tmp_path, 28, 20260101):
        assert_kept(target, acked)
        ends.add(acked)
    assert len(ends) > 10, "cut at different moments"


def test_nor_does_one_after_a_writer_died_and_another_went_on(
    disk: RecordedDisk, directory: Path, tmp_path: Path
) -> None:
    with storekeeper(directory):  # Keeps the store open: nobody after it is the first to open it.
        run(disk, directory, 0, 20, "die")
        run(disk, directory, 20, 20, "die")
        run(disk, directory, 40, 20, "close")
    for target, acked in cuts(disk, tmp_path, 21, 20260102):
        assert_kept(target, acked)


def test_nor_does_one_in_the_midst_of_a_recovery(
    disk: RecordedDisk, directory: Path, tmp_path: Path
) -> None:
    run(disk, directory, 0, 30, "die")
    first = tmp_path / "first"
    steps = disk.steps()
    acked = max(map(int, disk.cut(steps, first, random.Random(1), {"": 0.5})))
    (tmp_path / "again").mkdir()
    recovering = RecordedDisk(first, tmp_path / "again")
    run(recovering, first, acked + 1, 0, "die")
    for target, _ in cuts(recovering, tmp_path, 14, 20260103):
        assert_kept(target, acked)


def test_a_store_without_journal_and_sync_does_not_pass(
    disk: RecordedDisk, directory: Path, tmp_path: Path
) -> None:
    """So the cuts are as bad as they say."""
    run(disk, directory, 0, 40, "unsynced")
    lost = 0
    for target, acked in cuts(disk, tmp_path, 4, 20260104):
        # In a process of its own, which a damaged file may kill.
        lost += (
            subprocess.run(
                command(target, acked + 1, 0, "look"), cwd=ROOT, capture_output=True, check=False
            ).returncode
            != 0
        )
    assert lost >= 2
