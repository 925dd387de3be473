"""What does a durable commit cost, by way? `python -m benchmarks.commits`.

A batch is 32 users of 4.5 KB, drawn at random, and 32 rows of their logs. The ways take turns,
round after round, on stores of their own with the same users: LMDB as it syncs by itself, other
settings of LMDB, an append to a file alone, and the store that serves. ADR 18 has the figures.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import lmdb

from penchant.store.commit_journal import CommitJournal, JournalNote
from penchant.store.lmdb import LmdbStore

MAP_BYTES = 8 << 30
BATCH = 32
RECORD_BYTES, SMALL_RECORD_BYTES, ROW_BYTES = 4500, 1800, 120

Put = Callable[[bytes, bytes], object]
Commit = Callable[[Callable[[Put], None]], float]
"""Runs a batch in a transaction; returns the seconds from its last write to its end."""


class Batches:
    """Draws batches."""

    def __init__(self, users: int, record_bytes: int = RECORD_BYTES) -> None:
        """Of some users, with records of a size."""
        self._dice = random.Random(1)
        self._users, self._record_bytes = users, record_bytes
        self._row = 0

    def put_all(self, put: Put) -> None:
        """Writes every user once."""
        for user in range(self._users):
            put(b"u%016x" % user, os.urandom(self._record_bytes))

    def put(self, put: Put) -> None:
        """Writes a batch."""
        for user in self._dice.sample(range(self._users), BATCH):
            self._row += 1
            put(b"u%016x" % user, os.urandom(self._record_bytes))
            put(b"e%016x%08x" % (user, self._row), bytes(ROW_BYTES))


@contextmanager
def by_lmdb(directory: Path, batches: Batches, **options: Any) -> Iterator[Commit]:
    """LMDB with some options of its own."""
    directory.mkdir()
    env = lmdb.open(os.fspath(directory), map_size=MAP_BYTES, readahead=False, **options)
    with env.begin(write=True) as inner:
        batches.put_all(inner.put)
    env.sync(True)

    def commit(work: Callable[[Put], None]) -> float:
        inner = env.begin(write=True)
        work(inner.put)
        began = time.perf_counter()
        inner.commit()
        return time.perf_counter() - began

    yield commit
    env.close()


@contextmanager
def by_store(directory: Path, batches: Batches) -> Iterator[Commit]:
    """The store that serves; its checkpoints go on beside."""
    store = LmdbStore(directory, map_bytes=MAP_BYTES)

    def commit(work: Callable[[Put], None]) -> float:
        began = 0.0
        with store.transaction() as transaction:
            work(transaction.put)
            began = time.perf_counter()
        return time.perf_counter() - began

    with store.transaction() as transaction:
        batches.put_all(transaction.put)
    yield commit
    store.close()


@contextmanager
def by_append(directory: Path, batches: Batches) -> Iterator[Commit]:
    """An append to the journal, and nothing else."""
    directory.mkdir()
    journal = CommitJournal(directory)
    note = JournalNote(2)
    journal.begin_generation(2)

    def commit(work: Callable[[Put], None]) -> float:
        nonlocal note
        writes: list[tuple[bytes, bytes | None]] = []
        work(lambda key, value: writes.append((key, value)))
        began = time.perf_counter()
        note = journal.append(note, note.place, writes)
        return time.perf_counter() - began

    yield commit
    journal.close()


def measured(directory: Path, users: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of each commit, by way."""
    usual, small = Batches(users), Batches(users, SMALL_RECORD_BYTES)
    ways = {
        "LMDB, synced": (by_lmdb(directory / "synced", usual), usual),
        "the same, records of 1.8 KB": (by_lmdb(directory / "small", small), small),
        "LMDB, MDB_WRITEMAP": (by_lmdb(directory / "map", usual, writemap=True), usual),
        "LMDB, MDB_NOMETASYNC": (by_lmdb(directory / "meta", usual, metasync=False), usual),
        "LMDB, unsynced": (by_lmdb(directory / "unsynced", usual, sync=False), usual),
        "an append to the journal alone": (by_append(directory / "append", usual), usual),
        "the store: journal, then LMDB": (by_store(directory / "store", usual), usual),
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        commits = {name: stack.enter_context(way) for name, (way, _) in ways.items()}
        for _ in range(rounds):
            for name, commit in commits.items():
                seconds[name] += [commit(ways[name][1].put) for _ in range(10)]
    return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser("python -m benchmarks.commits", description=__doc__)
    parser.add_argument("--users", type=int, default=20_000, help="users of each store")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of ten commits each")
    parser.add_argument("--directory", type=Path, help="on the disk to measure")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="penchant-commits-", dir=options.directory) as name:
        seconds = measured(Path(name), options.users, options.rounds)
    print(f"| commit | ms, median | p90 |\n|{'---|' * 3}")
    for name, all_ in seconds.items():
        median, p90 = statistics.median(all_), sorted(all_)[len(all_) * 9 // 10]
        print(f"| {name} | {median * 1e3:.1f} | {p90 * 1e3:.1f} |")


if __name__ == "__main__":
    main()
