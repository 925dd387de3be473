"""The coarse rows of a large catalog, by which the compiled module passes over most of its items.

A byte stands for each number of a vector. They are derived from the vectors alone and compared with
them before they are used, so no checksum of theirs is in the head; their file is there so that all
processes of the machine have them in memory once:

    coarse-<generation>.i8      of the first rows of a generation

Where it can't be written, a process holds its own.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import NamedTuple, Protocol

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

_PIECE_BYTES = 1 << 16

CoarseBytes = NDArray[np.uint8]
"""What `penchant_native.write_coarse_rows` writes, shape (bytes,)."""


class CoarseWriter(Protocol):
    """The functions of `penchant_native` that make coarse rows."""

    def coarse_size(self, rows: int, dimensions: int) -> int:
        """Bytes of the coarse rows of so many vectors."""

    def write_coarse_rows(self, vectors: Matrix, content: CoarseBytes) -> None:
        """Writes the coarse rows of vectors, shape (n, d)."""


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

    def __init__(self, directory: Path, writer: CoarseWriter) -> None:
        """Maps nothing yet.

        Args:
            directory: the catalog's files.
            writer: the module `penchant_native`.
        """
        self._directory = directory
        self._writer = writer
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
            held = self._new(generation, view.vectors)
        self._held = held
        return held.coarse

    def _new(self, generation: int, vectors: Matrix) -> _Held:
        # Memory of the system's own, all of which goes back to it: of a large catalog it is much.
        own = mmap.mmap(-1, self._writer.coarse_size(*vectors.shape))
        self._writer.write_coarse_rows(vectors, np.frombuffer(own, np.uint8))
        path = coarse_path(self._directory, generation)
        try:
            mapped = _mapped(path, own)
            if mapped is None:
                # Readers compare what is on the disk before they use it: there is no need to sync.
                with whole_file(path, private=True, synced=False) as file:
                    file.write(own)
                mapped = _mapped(path, own)
        except OSError:
            mapped = None
        coarse = own if mapped is None else mapped
        return _Held(generation, len(vectors), np.frombuffer(coarse, np.uint8), mapped)


def _mapped(path: Path, content: mmap.mmap) -> mmap.mmap | None:
    """Maps a file that holds this content; None if there is no such file."""
    try:
        with path.open("rb") as file:
            for start in range(0, len(content) + 1, _PIECE_BYTES):
                if file.read(_PIECE_BYTES) != content[start : start + _PIECE_BYTES]:
                    return None
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        return None
