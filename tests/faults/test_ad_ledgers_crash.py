"""A writer or a rebuild that is killed at any moment leaves ledgers as the log has them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from penchant.logs.reconciliation import ads_report
from penchant.store.lmdb import LmdbStore
from tests.faults.test_lmdb_crash import ROOT, started, write_and_kill, writers
from tests.support.ad_ledgers import rebuilt, what_counts, without_ledgers
from tests.support.feeder import MAP_BYTES
from tests.support.world import NOW_US

ROUNDS = 5
REBUILD = "import sys; from penchant.cli.main import run; run(sys.argv[1:])"


def test_a_killed_writer_leaves_the_log_and_the_ledgers_equal(tmp_path: Path) -> None:
    dice = random.Random(20260103)
    for writer in writers("ads", tmp_path, ROUNDS):
        assert write_and_kill(writer, dice)
        store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
        made = rebuilt(store, NOW_US)
        assert made.users
        assert made.budgets
        assert (made.corrected_users, made.corrected_budgets, made.unreadable) == (0, 0, 0)
        with store.snapshot() as snapshot:
            report = ads_report(snapshot, NOW_US)
        assert report.total.charged_micros == 7 * report.total.confirmed > 0
        assert report.differences == ()
        store.close()


def test_a_killed_rebuild_is_finished_by_the_next_one(tmp_path: Path) -> None:
    dice = random.Random(20260104)
    write_and_kill(started("ads", tmp_path, 0), dice)
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    with store.snapshot() as snapshot:
        live = what_counts(snapshot, NOW_US)
    without_ledgers(store)
    store.close()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    line = [sys.executable, "-c", REBUILD, "rebuild", "ledgers", "--store", f"lmdb:{tmp_path}"]
    for _ in range(2):
        with subprocess.Popen(
            line, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as job:
            time.sleep(dice.uniform(0.3, 1.2))
            job.kill()
    store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
    rebuilt(store, NOW_US)
    with store.snapshot() as snapshot:
        assert what_counts(snapshot, NOW_US) == live
    assert rebuilt(store, NOW_US).corrected_budgets == 0
    store.close()
