"""The coarse rows of a large catalog, by which the compiled module passes over most of its items.

A byte stands for each number of a vector. They are derived from the vectors alone and compared with
them before they are used, so no checksum of theirs is in the head; their file is there so that all
processes of the machine have them in memory once:

    coarse-<generation>.i8      of the first rows of a generation

Where it can't be written, a process holds its own.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.files import coarse_path
from penchant.catalog.view import CatalogView
from penchant.domain.types import Matrix
from penchant.system.durable_file import whole_file

LEAST_NUMBERS = 1 << 20
"""Numbers in the vectors of a catalog from which coarse rows pay: fewer lie in the caches."""

GROWTH = 1.25
"""Rows that were appended since are ranked without, until the catalog grew by this factor."""

_PIECE_BYTES = 1 << 20

CoarseBytes = NDArray[np.uint8]
"""What `penchant_native.coarse_rows` gives, shape (bytes,)."""


class _Held(NamedTuple):
    generation: int
    rows: int
    coarse: CoarseBytes
    map: mmap.mmap | None
    """None: the bytes are this process's own."""

    @property
    def whole(self) -> bool:
        return self.map is None or self.map.size() >= len(self.coarse)


class CoarseRows:
    """The coarse rows that one process holds. `of` is for one thread at a time."""

    def __init__(self, directory: Path, make: Callable[[Matrix], bytes]) -> None:
        """Maps nothing yet.

        Args:
            directory: the catalog's files.
            make: `penchant_native.coarse_rows`.
        """
        self._directory = directory
        self._make = make
        self._held: _Held | None = None

    def whole(self) -> bool:
        """Whether the mapped file is as long as it was: to read beyond it would kill the process.

        Cost: a system call, 0.2 microseconds.
        """
        held = self._held
        return held is None or held.whole

    def of(self, view: CatalogView) -> CoarseBytes | None:
        """The coarse rows of the first items of a view; None for a small catalog.

        Cost: O(rows d) for a new generation, else what `whole` costs.
        """
        rows, dimensions = view.vectors.shape
        if rows * dimensions < LEAST_NUMBERS:
            return None
        held, generation = self._held, view.head.generation
        fits = held is not None and held.generation == generation and held.rows <= rows
        if held is None or not fits or rows > GROWTH * held.rows or not held.whole:
            held = self._new(generation, rows, self._make(view.vectors))
        self._held = held
        return held.coarse

    def _new(self, generation: int, rows: int, content: bytes) -> _Held:
        path = coarse_path(self._directory, generation)
        try:
            mapped = _mapped(path, content)
            if mapped is None:
                # Readers compare what is on the disk before they use it: there is no need to sync.
                with whole_file(path, private=True, synced=False) as file:
                    file.write(content)
                mapped = _mapped(path, content)
        except OSError:
            mapped = None
        coarse = np.frombuffer(content if mapped is None else mapped, np.uint8)
        return _Held(generation, rows, coarse, mapped)


def _mapped(path: Path, content: bytes) -> mmap.mmap | None:
    """Maps a file that holds this content; None if there is no such file."""
    try:
        with path.open("rb") as file:
            for start in range(0, len(content) + 1, _PIECE_BYTES):
                if file.read(_PIECE_BYTES) != content[start : start + _PIECE_BYTES]:
                    return None
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        return None
