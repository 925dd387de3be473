"""The catalog's files: derived from the store, mapped by every process of the machine.

    vectors-<generation>.f32    item vectors, one row per item number, room for more at the end
    offsets-<generation>.f32    live offsets b_i, one float per row, written as feedback arrives
    version-<version>.npz       Gram matrix, population prior and cold_start_prior of a version
    neighbours-<number>.npy     which items people turn to next to which, of the last refresh
    rollout-<release>/            the same files of a release on rollout

A file is complete and synced before the store's head names it; rows past the head's count are not
there yet. Losing the directory costs the time to write it again from the store, and what a refresh
learnt besides residuals (prior, cold_start_prior, neighbours) until the next refresh.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray

from penchant.domain.cold_start import ColdStartPrior
from penchant.domain.neighbours import Neighbours, no_neighbours
from penchant.domain.types import CatalogHead, Matrix, Vector

MIN_CAPACITY = 1024
KEPT = 4
"""How many generations and versions stay for readers that have not followed yet."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What one catalog version fixes for the fold."""

    gram: NDArray[np.float64]
    """X'X / N over the items that can be ranked, shape (d, d)."""
    prior_mean: NDArray[np.float64]
    """The population's mean interest, shape (d,)."""
    cold_start_prior: ColdStartPrior
    """What a new item starts with."""


def vectors_path(directory: Path, generation: int) -> Path:
    """Where a generation's vectors are."""
    return directory / f"vectors-{generation}.f32"


def offsets_path(directory: Path, generation: int) -> Path:
    """Where a generation's live offsets are."""
    return directory / f"offsets-{generation}.f32"


def version_path(directory: Path, version: int) -> Path:
    """Where a version's Gram matrix and prior are."""
    return directory / f"version-{version}.npz"


def neighbours_path(directory: Path, number: int) -> Path:
    """Where the neighbours of one refresh are."""
    return directory / f"neighbours-{number}.npy"


def capacity_for(rows: int) -> int:
    """Rows that a new generation has room for: at least twice as many, a power of two."""
    return max(MIN_CAPACITY, 1 << (2 * rows - 1).bit_length()) if rows else MIN_CAPACITY


def write_generation(directory: Path, generation: int, vectors: Matrix, offsets: Vector) -> None:
    """Writes a new generation with room to grow, and syncs it. Shapes (n, d) and (n,)."""
    directory.mkdir(parents=True, exist_ok=True)
    rows, dimensions = vectors.shape
    capacity = capacity_for(rows)
    for path, values, shape in (
        (vectors_path(directory, generation), vectors, (capacity, dimensions)),
        (offsets_path(directory, generation), offsets, (capacity,)),
    ):
        mapped = np.memmap(path, np.float32, "w+", shape=shape)
        mapped[:rows] = values
        mapped.flush()


def map_vectors(directory: Path, generation: int, dimensions: int) -> Matrix:
    """Maps a generation's vectors for reading, shape (capacity, d); raises FileNotFoundError."""
    mapped = _map(vectors_path(directory, generation), "r")
    return mapped.view(np.ndarray).reshape(-1, dimensions)


def map_offsets(directory: Path, generation: int, mode: Literal["r", "r+"] = "r") -> Vector:
    """Maps a generation's live offsets, shape (capacity,); raises FileNotFoundError."""
    return _map(offsets_path(directory, generation), mode).view(np.ndarray)


def append_rows(directory: Path, generation: int, start: int, vectors: Matrix) -> bool:
    """Writes rows past the end of what readers see, and syncs; False where there is no room."""
    mapped = _map(vectors_path(directory, generation), "r+")
    first, values = start * vectors.shape[1], vectors.ravel()
    if first + len(values) > len(mapped):
        return False
    mapped[first : first + len(values)] = values
    mapped.flush()
    return True


def _map(path: Path, mode: Literal["r", "r+"]) -> np.memmap[tuple[int], np.dtype[np.float32]]:
    return np.memmap(path, np.float32, mode, shape=(path.stat().st_size // 4,))


def write_version(directory: Path, version: int, frozen: Frozen) -> None:
    """Writes what a version fixes, whole or not at all."""
    arrays = {
        "gram": frozen.gram,
        "prior_mean": frozen.prior_mean,
        "expectation": frozen.cold_start_prior.weights,
        "expectation_as_of_us": np.array(frozen.cold_start_prior.as_of_us),
    }
    with _whole(version_path(directory, version)) as file:
        np.savez(file, **arrays)


def read_version(directory: Path, version: int) -> Frozen:
    """Reads what a version fixed; raises FileNotFoundError."""
    with np.load(version_path(directory, version)) as arrays:
        as_of_us = int(arrays["expectation_as_of_us"])
        cold_start_prior = ColdStartPrior(arrays["expectation"], as_of_us)
        return Frozen(arrays["gram"], arrays["prior_mean"], cold_start_prior)


def write_neighbours(directory: Path, number: int, neighbours: Neighbours) -> None:
    """Writes the neighbours of a refresh, whole or not at all."""
    with _whole(neighbours_path(directory, number)) as file:
        np.save(file, neighbours)


def map_neighbours(directory: Path, number: int) -> Neighbours:
    """Maps the neighbours of a refresh; none for number 0; raises FileNotFoundError."""
    if number == 0:
        return no_neighbours()
    mapped: Neighbours = np.load(neighbours_path(directory, number), mmap_mode="r")
    return mapped.view(np.ndarray)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when all of it is written and synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def prune(directory: Path, head: CatalogHead) -> None:
    """Removes files that no reader can want any more."""
    newest = {
        "vectors": head.generation,
        "offsets": head.generation,
        "version": head.version,
        "neighbours": head.neighbours,
    }
    for path in directory.iterdir():
        match = re.fullmatch(rf"({'|'.join(newest)})-(\d+)\.(f32|npz|npy)", path.name)
        if match and int(match[2]) <= newest[match[1]] - KEPT:
            path.unlink(missing_ok=True)
