"""`penchant refresh` beside a store that other processes have open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from penchant.store.lmdb import LmdbStore
from tests.support.catalogs import head
from tests.support.command import run
from tests.support.world import World, liked


def test_another_process_publishes_while_the_services_run(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 28)
    world = World(tmp_path / "store" / "catalog", store=store)
    world.put(one="first text", two="second text", three="third text")
    for user in ("u", "v"):
        world.feed(liked(f"{user}1", "one", user=user), liked(f"{user}2", "two", user=user))
    before, texts = head(world), world.view().vectors.copy()
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "penchant.cli.main", "refresh"]
    done = subprocess.run(
        [*command, "--store", f"lmdb:{tmp_path / 'store'}"],
        env={
            **os.environ,
            "PYTHONPATH": paths,
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Learnt from 4 events: 2 items moved" in done.stdout
    vectors = world.view().vectors
    assert head(world).version == before.version + 1
    assert (vectors[:2] != texts[:2]).any(axis=1).all()
    np.testing.assert_array_equal(vectors[2], texts[2])
    world.put(four="put after the refresh")
    np.testing.assert_array_equal(world.view().vectors[:3], vectors)
    store.close()


def test_a_directory_without_a_store_is_refused(tmp_path: Path) -> None:
    result = run(["refresh", "--store", f"lmdb:{tmp_path}"])
    assert result.exit_code != 0
    assert not (tmp_path / "data.mdb").exists()


def test_a_log_in_a_file_is_learnt_from_instead_of_the_stores(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 28)
    world = World(tmp_path / "store" / "catalog", store=store)
    world.put(one="first text", two="second text", three="third text")
    texts = world.view().vectors.copy()
    store.close()
    log = tmp_path / "log.csv"
    rows = [f"{user},{film},5,9" for user in ("u", "v") for film in ("two", "three")]
    log.write_text("\n".join(["user_id,film,rating,timestamp", *rows, "u,gone,5,9"]))
    options = ["--store", f"lmdb:{tmp_path / 'store'}", "--events", str(log), "--map", "film=item"]
    result = run(["refresh", *options])
    assert result.exit_code == 0, result.output
    assert "Learnt from 4 events: 2 items moved" in result.output
    assert "events about unknown items: 1" in result.output
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 28)
    vectors = World(tmp_path / "store" / "catalog", store=store).view().vectors
    np.testing.assert_array_equal(vectors[0], texts[0])
    assert (vectors[1:] != texts[1:]).any(axis=1).all()
    store.close()


def test_a_clock_follows_the_stores_own_log_alone(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user,item\n")
    result = run(
        ["refresh", "--store", f"lmdb:{tmp_path}", "--every", "5m", "--events", str(events)]
    )
    assert result.exit_code == 1
    assert "--every: got one with --events" in result.output


def test_an_interval_that_is_none_is_refused(tmp_path: Path) -> None:
    for given in ("soon", "0", "-5m", "5 parsecs", "inf", "nan"):
        result = run(["refresh", "--store", f"lmdb:{tmp_path}", f"--every={given}"])
        assert result.exit_code == 1
        assert "expected a time such as 5m, 90s or 1h, or never" in result.output
