"""Directories that hold what is no store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lmdb


def write_lmdb(place: Path, rows: dict[bytes, bytes]) -> None:
    """Writes a data file of LMDB with some rows."""
    made = place.with_suffix(".made")
    env = lmdb.open(str(made), subdir=False, lock=False)
    with env.begin(write=True) as transaction:
        for key, value in rows.items():
            transaction.put(key, value)
    env.close()
    made.rename(place)


def _shortened(place: Path) -> None:
    write_lmdb(place, {b"%d" % number: bytes(2000) for number in range(9)})
    place.write_bytes(place.read_bytes()[:-8192])


IN_PLACE: dict[str, Callable[[Path], object]] = {
    "another program's LMDB": lambda data: write_lmdb(data, {b"train": b"1", b"Users": b"2"}),
    "another file": lambda data: data.write_bytes(b"x" * 9000),
    "no bytes": lambda data: data.touch(),
    "a truncated file": _shortened,
    "a directory": lambda data: data.mkdir(),
    "a lost file": lambda data: (data.parent / "writer.lock").touch(),
}
"""Each puts something in place of the data file of a store."""


def state(directory: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and the content of each file, by name."""
    return {
        path.name: (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in directory.iterdir()
    }
