"""The catalog's files: derived from the store, and mapped by every process of the machine.

    vectors-<generation>.f32    item vectors, one row per item number, with room to grow
    texts-<generation>.f32      vectors of the items' texts alone, row by row as above, for queries
    offsets-<generation>.f32    live offsets b_i, one float per row, written as feedback arrives
    version-<version>.npz       Gram matrix, priors, popularity and learnt weights of a version
    neighbours-<number>.npy     the neighbour table of the last refresh
    trial-<release>/            the same files for a release on rollout

A file is complete and synced before the store's head names it; rows beyond the head's count do not
exist yet. A lost directory is written again from the store, but the results of a refresh other than
residuals (priors, popularity, learnt weights, neighbours) are lost until the next refresh.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.cold_start import ColdStartPrior
from penchant.domain.neighbours import Neighbours, no_neighbours
from penchant.domain.types import CatalogHead, Matrix, Vector
from penchant.system.durable_file import whole_file

MIN_CAPACITY = 1024
KEPT = 4
"""Generations and versions kept for readers that are behind."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """The inputs of the fold that one catalog version fixes."""

    gram: Float64
    """X'X / N over the rankable items, shape (d, d)."""
    prior_mean: Float64
    """The population's mean interest, shape (d,)."""
    cold_start_prior: ColdStartPrior
    """The initial counters of new items."""
    popularity: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """What popularity as of the last refresh adds to the scores of the first items, shape (n,)."""
    learnt: str = "{}"
    """Settings of the fold that the last refresh learnt, as a JSON object."""


def vectors_path(directory: Path, generation: int) -> Path:
    """The file of a generation's vectors."""
    return directory / f"vectors-{generation}.f32"


def offsets_path(directory: Path, generation: int) -> Path:
    """The file of a generation's live offsets."""
    return directory / f"offsets-{generation}.f32"


def texts_path(directory: Path, generation: int) -> Path:
    """The file of a generation's text vectors."""
    return directory / f"texts-{generation}.f32"


def version_path(directory: Path, version: int) -> Path:
    """The file of a version's Gram matrix and priors."""
    return directory / f"version-{version}.npz"


def neighbours_path(directory: Path, number: int) -> Path:
    """The file of a refresh's neighbours."""
    return directory / f"neighbours-{number}.npy"


def capacity_for(rows: int) -> int:
    """Capacity of a new generation, in rows: a power of two, at least twice the rows."""
    return max(MIN_CAPACITY, 1 << (2 * rows - 1).bit_length()) if rows else MIN_CAPACITY


def write_generation(
    directory: Path, generation: int, vectors: Matrix, offsets: Vector, texts: Matrix | None = None
) -> None:
    """Writes and syncs a new generation with room to grow.

    Args:
        directory: the catalog's files.
        generation: number of the new files.
        vectors: item vectors, shape (n, d).
        offsets: shape (n,).
        texts: vectors of the items' texts, shape (n, d); None: the item vectors.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows, dimensions = vectors.shape
    capacity = capacity_for(rows)
    for path, values, shape in (
        (vectors_path(directory, generation), vectors, (capacity, dimensions)),
        (texts_path(directory, generation), _or(texts, vectors), (capacity, dimensions)),
        (offsets_path(directory, generation), offsets, (capacity,)),
    ):
        mapped = np.memmap(path, np.float32, "w+", shape=shape)
        mapped[:rows] = values
        mapped.flush()


def map_vectors(directory: Path, generation: int, dimensions: int) -> Matrix:
    """Maps a generation's vectors for reading, shape (capacity, d); raises FileNotFoundError."""
    mapped = _map(vectors_path(directory, generation), "r")
    return mapped.view(np.ndarray).reshape(-1, dimensions)


def map_texts(directory: Path, generation: int, dimensions: int) -> Matrix:
    """Maps a generation's text vectors, shape (capacity, d).

    Those of a generation written without them are its item vectors.
    """
    path = texts_path(directory, generation)
    if not path.is_file():
        return map_vectors(directory, generation, dimensions)
    return _map(path, "r").view(np.ndarray).reshape(-1, dimensions)


def map_offsets(directory: Path, generation: int, mode: Literal["r", "r+"] = "r") -> Vector:
    """Maps a generation's live offsets, shape (capacity,); raises FileNotFoundError."""
    return _map(offsets_path(directory, generation), mode).view(np.ndarray)


def append_rows(
    directory: Path, generation: int, start: int, vectors: Matrix, texts: Matrix | None = None
) -> bool:
    """Writes and syncs rows beyond those that readers see; False if the files have no room."""
    first = start * vectors.shape[1]
    for path, rows in (
        (texts_path(directory, generation), _or(texts, vectors)),
        (vectors_path(directory, generation), vectors),
    ):
        if path.name.startswith("texts") and not path.is_file():
            continue  # The generation was written without text vectors.
        mapped = _map(path, "r+")
        values = rows.ravel()
        if first + len(values) > len(mapped):
            return False
        mapped[first : first + len(values)] = values
        mapped.flush()
    return True


def _or(texts: Matrix | None, vectors: Matrix) -> Matrix:
    return vectors if texts is None else texts


def _map(path: Path, mode: Literal["r", "r+"]) -> np.memmap[tuple[int], np.dtype[np.float32]]:
    return np.memmap(path, np.float32, mode, shape=(path.stat().st_size // 4,))


def write_version(directory: Path, version: int, frozen: Frozen) -> None:
    """Writes a version's file, whole or not at all."""
    arrays = {
        "gram": frozen.gram,
        "prior_mean": frozen.prior_mean,
        "expectation": frozen.cold_start_prior.weights,
        "expectation_as_of_us": np.array(frozen.cold_start_prior.as_of_us),
        "popularity": frozen.popularity,
        "learnt": np.array(frozen.learnt),
    }
    with whole_file(version_path(directory, version)) as file:
        np.savez(file, **arrays)


def read_version(directory: Path, version: int) -> Frozen:
    """Reads a version's file; raises FileNotFoundError."""
    with np.load(version_path(directory, version)) as arrays:
        as_of_us = int(arrays["expectation_as_of_us"])
        cold_start_prior = ColdStartPrior(arrays["expectation"], as_of_us)
        parts = Frozen(arrays["gram"], arrays["prior_mean"], cold_start_prior)
        if "learnt" not in arrays:  # Written before refreshes learnt weights.
            return parts
        return replace(parts, popularity=arrays["popularity"], learnt=str(arrays["learnt"]))


def write_neighbours(directory: Path, number: int, neighbours: Neighbours) -> None:
    """Writes the neighbours of a refresh, whole or not at all."""
    with whole_file(neighbours_path(directory, number)) as file:
        np.save(file, neighbours)


def map_neighbours(directory: Path, number: int) -> Neighbours:
    """Maps the neighbours of a refresh, none for number 0; raises FileNotFoundError."""
    if number == 0:
        return no_neighbours()
    mapped: Neighbours = np.load(neighbours_path(directory, number), mmap_mode="r")
    return mapped.view(np.ndarray)


def prune(directory: Path, head: CatalogHead) -> None:
    """Removes files that no reader can still need."""
    newest = {
        "vectors": head.generation,
        "texts": head.generation,
        "offsets": head.generation,
        "version": head.version,
        "neighbours": head.neighbours,
    }
    for path in directory.iterdir():
        match = re.fullmatch(rf"({'|'.join(newest)})-(\d+)\.(f32|npz|npy)", path.name)
        if match and int(match[2]) <= newest[match[1]] - KEPT:
            path.unlink(missing_ok=True)
