"""Jobs that are killed half way: the store is as before or after, and nothing is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penchant.catalog import files
from penchant.domain.errors import StoreUnavailable
from penchant.launch.backup import BackupRequest, backup
from penchant.launch.compact import CompactRequest, compact
from penchant.store.lmdb import LmdbStore
from tests.contracts.store_laws import apply, contents
from tests.support.small_disk import filled, small_disk

MAP_BYTES = 64 << 20
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store of some megabytes, half of which are free pages."""
    place = tmp_path / "store"
    fill(place)
    return place


def fill(place: Path) -> None:
    store = LmdbStore(place, map_bytes=MAP_BYTES)
    for part in range(8):
        apply(store, [(f"{part}-{n}".encode(), bytes(4_000)) for n in range(200)])
    with store.transaction() as transaction:
        for key, _ in list(transaction.scan(b"1")) + list(transaction.scan(b"2")):
            transaction.delete(key)
    store.close()


def run_until_it_kills_itself(job: str) -> None:
    """Runs Python code that ends by SIGKILL."""
    ended = subprocess.run(
        [sys.executable, "-c", job],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL


COMPACTION = """
from pathlib import Path
from penchant.store.lmdb import LmdbStore
import os
at = {at!r}
stop = lambda *_: os.kill(os.getpid(), 9)
import penchant.store.lmdb as module
if at == "copy": module.copy_environment = lambda env, target: (target.write_bytes(b"half"), stop())
if at == "renumber": module.renumber = stop
if at == "before": module.check_whole = stop
if at == "after": module.sync_directory = stop
LmdbStore(Path({place!r}), map_bytes=0).compact()
"""


@pytest.mark.parametrize("at", ["copy", "renumber", "before", "after"])
def test_a_compaction_killed_at_any_step_leaves_the_store_and_no_copy(
    directory: Path, at: str
) -> None:
    running = LmdbStore(directory, map_bytes=MAP_BYTES)  # Another process of the server.
    before = contents(running)
    run_until_it_kills_itself(COMPACTION.format(at=at, place=str(directory)))
    assert contents(running) == before
    apply(running, [(b"later", b"x")])
    running.close()
    again = LmdbStore(directory, map_bytes=MAP_BYTES)
    assert contents(again) == [*before, (b"later", b"x")]
    again.close()
    assert not list(directory.glob("*.compacted")) + list(directory.glob(".*.compacted"))


def test_a_compaction_on_a_full_disk_is_refused_and_leaves_no_copy(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        fill(disk / "store")
        with filled(disk):
            with pytest.raises(StoreUnavailable, match="No space left"):
                compact(CompactRequest(store=f"lmdb:{disk / 'store'}"))
            assert not list((disk / "store").glob(".*.compacted"))
        result = compact(CompactRequest(store=f"lmdb:{disk / 'store'}"))
        assert result.after_bytes < result.before_bytes


def test_what_a_killed_backup_has_left_is_removed_by_the_next_one(
    directory: Path, tmp_path: Path
) -> None:
    target = tmp_path / "today"
    job = f"""
import os
from pathlib import Path
import penchant.launch.backup as module
module.make_private = lambda made: os.kill(os.getpid(), 9)
module.backup(module.BackupRequest(store="lmdb:{directory}", to=Path({str(target)!r})))
"""
    run_until_it_kills_itself(job)
    assert not target.exists()
    assert list(tmp_path.glob(".today-*"))
    backup(BackupRequest(store=f"lmdb:{directory}", to=target))
    assert not list(tmp_path.glob(".today-*"))
    restored = LmdbStore(target, map_bytes=0)
    assert len(contents(restored)) == 1_200
    restored.close()


def test_half_written_files_of_killed_writers_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    old = tmp_path / f".vectors-5.f32.{ended.pid}.partial"
    fresh = tmp_path / f".vectors-6.f32.{ended.pid}.partial"
    mine = tmp_path / f".vectors-7.f32.{os.getpid()}.partial"
    for path in (old, fresh, mine):
        path.write_bytes(b"half")
    for path in (old, mine):
        os.utime(path, (0, 0))
    files.remove_partial(tmp_path)
    assert not old.exists()
    assert fresh.exists(), "it may be of a writer in another container"
    assert mine.exists()
