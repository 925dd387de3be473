"""A writer that is killed at any moment loses no acked event and applies none twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from penchant.store.items import read_head, scan_items
from penchant.store.lmdb import LmdbStore
from tests.support.acked import assert_all_is_there_once
from tests.support.feeder import MAP_BYTES, config_of
from tests.support.world import World

ROUNDS = 10
ROOT = Path(__file__).resolve().parents[2]


def started(what: str, directory: Path, round_: int) -> subprocess.Popen[bytes]:
    """A writer that waits for a line."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.feeder", what, str(directory), str(round_)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def writers(what: str, directory: Path, rounds: int) -> Iterator[subprocess.Popen[bytes]]:
    """One after another; while one writes and its work is looked at, the next one starts."""
    coming = started(what, directory, 0)
    for round_ in range(1, rounds):
        writer, coming = coming, started(what, directory, round_)
        yield writer
    yield coming


def write_and_kill(writer: subprocess.Popen[bytes], dice: random.Random) -> set[str]:
    """Lets a writer begin, kills it a moment after some acks; returns all that were acked."""
    after_acks, moment_s = dice.randint(1, 60), dice.uniform(0.0, 0.02)
    with writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
        lines = [writer.stdout.readline() for _ in range(after_acks)]
        time.sleep(moment_s)
        writer.kill()
        lines += writer.stdout.readlines()
    assert writer.returncode < 0, "the writer ended before it was killed"
    return {line.decode().strip() for line in lines if line.endswith(b"\n")}


def test_a_killed_writer_loses_no_acked_event_and_applies_none_twice(tmp_path: Path) -> None:
    dice = random.Random(20260101)
    acked: set[str] = set()
    for writer in writers("events", tmp_path, ROUNDS):
        acked |= write_and_kill(writer, dice)
        store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
        with store.snapshot() as snapshot:
            assert_all_is_there_once(snapshot, acked, config_of(tmp_path))
            assert read_head(snapshot).alive == 6
        store.close()
    assert len(acked) > ROUNDS


def test_a_killed_publisher_loses_no_acked_item_and_mixes_no_vectors(tmp_path: Path) -> None:
    dice = random.Random(20260102)
    acked: set[str] = set()
    for writer in writers("items", tmp_path, ROUNDS):
        acked |= write_and_kill(writer, dice)
        store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
        world = World(tmp_path / "catalog", store=store)
        with store.snapshot() as snapshot:
            stored = {row.item.id: row for row in scan_items(snapshot)}
        view = world.view()
        assert acked <= set(view.numbers)
        assert sorted(row.number for row in stored.values()) == list(range(view.head.rows))
        for id_, row in stored.items():
            assert (id_ in view.numbers) == row.alive == bool(view.alive[row.number])
            if row.alive:
                expected = world.encoder.encode([row.item.text])[0]
                np.testing.assert_array_equal(view.vectors[row.number], expected)
        store.close()
    assert len(acked) > ROUNDS
