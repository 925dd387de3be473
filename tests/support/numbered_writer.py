"""A process that commits numbered transactions to an LMDB store and acknowledges each.

Its arguments: the store's directory, the first number, how many, and how it ends: `close`, `die`,
or `unsynced`, which writes to LMDB alone, without journal or sync, as no store may. With `look` it
writes nothing; its status is 0 if the store has what the transactions before the first wrote.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import lmdb

from penchant.store import background_checkpoints
from penchant.store.lmdb import LmdbStore
from tests.support.recorded_disk import ACKS
from tests.support.storekeeper import MAP_BYTES

KEYS = 40


def writes_of(number: int) -> list[tuple[bytes, bytes | None]]:
    """What a transaction writes: small rows, rows over several pages, deletions."""
    dice = random.Random(number)
    keys = dice.sample(range(KEYS), 6)
    rows: list[tuple[bytes, bytes | None]] = [(b"last", b"%d" % number)]
    for key in keys[:-1]:
        size = dice.choice((20, 300, 1500, 5000, 9000))
        rows.append((b"row-%02d" % key, b"%d " % number * (size // 4)))
    return [*rows, (b"row-%02d" % keys[-1], None)]


def content_after(number: int) -> dict[bytes, bytes]:
    """The content of the store after the transactions up to this one."""
    found: dict[bytes, bytes] = {}
    for one in range(number + 1):
        for key, value in writes_of(one):
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
    return found


def main() -> None:
    """Writes, and acknowledges."""
    directory, first, count, end = sys.argv[1:]
    if end == "look":
        store = LmdbStore(Path(directory), map_bytes=MAP_BYTES)
        with store.snapshot() as snapshot:
            os._exit(dict(snapshot.scan(b"")) != content_after(int(first) - 1))
    acks = os.open(Path(directory) / ACKS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if end == "unsynced":
        env = lmdb.open(directory, map_size=MAP_BYTES, sync=False)
    else:
        background_checkpoints.INTERVAL_S = 0.015
        store = LmdbStore(Path(directory), map_bytes=MAP_BYTES)
    for number in range(int(first), int(first) + int(count)):
        if end == "unsynced":
            with env.begin(write=True) as inner:
                for key, value in writes_of(number):
                    if value is None:
                        inner.delete(key)
                    else:
                        inner.put(key, value)
        else:
            with store.transaction() as transaction:
                for key, value in writes_of(number):
                    if value is None:
                        transaction.delete(key)
                    else:
                        transaction.put(key, value)
        os.write(acks, b"%d" % number)
    if end == "close":
        store.close()
    os._exit(0)


if __name__ == "__main__":
    main()
