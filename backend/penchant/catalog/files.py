"""The catalog's files: derived from the store, and mapped by every process of the machine.

    vectors-<generation>.f32    item vectors, one row per item number, with room to grow
    offsets-<generation>.f32    live offsets b_i, one float per row, written as feedback arrives
    texts-<generation>.f32      vectors of the items' texts alone, row by row as above, for queries
    version-<version>.npz       Gram matrix, priors, popularity (all, by segment), tail, weights,
                                what items earned lately
    neighbours-<number>.npy     the neighbour table of the last refresh
    coarse-<generation>.i8      the vectors in a byte a number; see `penchant.catalog.coarse_rows`
    trial-<release>/            the same files for a release on rollout

A file is complete and synced before the store's head names it; rows beyond the head's count do not
exist yet. The head also holds checksums, and a file that is not as it was written raises
DamagedFile; `service.mended_catalog` writes it again from the store. The results of a refresh other
than residuals (priors, popularity, learnt weights, neighbours) are then lost until the next
refresh.

Only the offsets are mapped for writing, and their file is allocated whole: on a full disk, a write
to a page that has no place yet would kill the process.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.cold_start import ColdStartPrior
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, Neighbours, no_neighbours
from penchant.domain.recent_counts import RecentCounts, read_recent_counts
from penchant.domain.segments import SegmentPopularity, read_segment_popularity
from penchant.domain.types import CatalogHead, Matrix, Vector
from penchant.system.durable_file import whole_file
from penchant.system.process_identity import process_stat

MIN_CAPACITY = 1024
KEPT = 4
"""Generations and versions kept for readers that are behind."""

_NUMBERED = re.compile(
    r"(vectors|texts|offsets|coarse|version|neighbours)-(\d+)\.(?:f32|i8|npz|npy)"
)
_PIECE_BYTES = 1 << 20
_SILENT_S = 60.0
_one_parses = threading.Lock()
"""Held while NumPy reads headers: it does so by `ast`, whose count of recursions all threads share,
so that two that parse at once may end in a SystemError."""

MOST = 1e6
"""No offset is further from zero; log-odds of counters are not."""


class DamagedFile(Exception):
    """A file of the catalog is not as it was written; the text says which and how."""


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
    segments: SegmentPopularity = field(default_factory=SegmentPopularity)
    """What the segments of a ranking's context add for users with few events."""
    tail: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """g_i of `penchant.domain.long_tail` of the first items, shape (n,), or empty for 0."""
    recent: RecentCounts = field(default_factory=RecentCounts)
    """What the live offsets are made of, by number; empty: the counters as they are."""


def vectors_path(directory: Path, generation: int) -> Path:
    """The file of a generation's vectors."""
    return directory / f"vectors-{generation}.f32"


def offsets_path(directory: Path, generation: int) -> Path:
    """The file of a generation's live offsets."""
    return directory / f"offsets-{generation}.f32"


def texts_path(directory: Path, generation: int) -> Path:
    """The file of a generation's text vectors."""
    return directory / f"texts-{generation}.f32"


PathOf = Callable[[Path, int], Path]
"""`vectors_path` or `texts_path`, whose files are alike."""


def version_path(directory: Path, version: int) -> Path:
    """The file of a version's Gram matrix and priors."""
    return directory / f"version-{version}.npz"


def neighbours_path(directory: Path, number: int) -> Path:
    """The file of a refresh's neighbours."""
    return directory / f"neighbours-{number}.npy"


def coarse_path(directory: Path, generation: int) -> Path:
    """The file of a generation's coarse rows."""
    return directory / f"coarse-{generation}.i8"


def capacity_for(rows: int) -> int:
    """Capacity of a new generation, in rows: a power of two, at least twice the rows."""
    return max(MIN_CAPACITY, 1 << (2 * rows - 1).bit_length()) if rows else MIN_CAPACITY


def checksum(rows: Matrix, before: int = 0) -> int:
    """CRC-32 of rows, shape (n, d), continuing that of the rows before them."""
    return zlib.crc32(np.ascontiguousarray(rows, np.float32).data, before)


def mapped_paths(directory: Path, head: CatalogHead) -> list[Path]:
    """The files of a head that its readers map."""
    paths = []
    if head.generation:
        paths += [
            vectors_path(directory, head.generation),
            offsets_path(directory, head.generation),
        ]
        if head.texts_crc is not None:
            paths.append(texts_path(directory, head.generation))
    if head.neighbours:
        paths.append(neighbours_path(directory, head.neighbours))
    return paths


def checksum_of_file(path: Path, size: int) -> int:
    """CRC-32 of the first bytes of a file.

    It is read in pieces: to read it mapped, while another program truncates it, would kill the
    process.

    Raises:
        FileNotFoundError: there is no file.
        DamagedFile: it is shorter.
    """
    crc = 0
    with path.open("rb") as file:
        while size > 0:
            piece = file.read(min(size, _PIECE_BYTES))
            if not piece:
                raise DamagedFile(f"{path.name}: ends {size} bytes too early")
            crc = zlib.crc32(piece, crc)
            size -= len(piece)
    return crc


def write_generation(directory: Path, generation: int, vectors: Matrix, offsets: Vector) -> int:
    """Writes and syncs a new generation with room to grow. Shapes (n, d) and (n,).

    Returns:
        The checksum of the rows.

    Raises:
        OSError: a file can't be written, as on a full disk.
    """
    crc = write_matrix(vectors_path(directory, generation), vectors)
    write_offsets(directory, generation, offsets, capacity_for(len(vectors)))
    return crc


def write_texts(directory: Path, generation: int, texts: Matrix) -> int:
    """Writes and syncs a generation's text vectors, shape (n, d), with room to grow.

    Returns:
        The checksum of the rows.

    Raises:
        OSError: the file can't be written, as on a full disk.
    """
    return write_matrix(texts_path(directory, generation), texts)


def write_matrix(path: Path, matrix: Matrix) -> int:
    """Writes and syncs a matrix, shape (n, d), with room to grow; returns the rows' checksum.

    Raises:
        OSError: the file can't be written, as on a full disk.
    """
    rows, dimensions = matrix.shape
    with whole_file(path, private=True) as file:
        file.write(np.ascontiguousarray(matrix, np.float32).data)
        # The room takes no disk space yet.
        file.truncate(capacity_for(rows) * dimensions * 4)
    return checksum(matrix)


def write_offsets(directory: Path, generation: int, offsets: Vector, capacity: int) -> None:
    """Writes and syncs a generation's offsets, shape (n,), with all the room; raises OSError."""
    padded = np.zeros(capacity, np.float32)
    padded[: len(offsets)] = offsets
    with whole_file(offsets_path(directory, generation), private=True) as file:
        file.write(padded.data)


def map_vectors(
    directory: Path,
    generation: int,
    dimensions: int,
    rows: int = 0,
    path_of: PathOf = vectors_path,
) -> Matrix:
    """Maps a generation's vectors, or those of its texts, for reading, shape (capacity, d).

    Raises:
        FileNotFoundError: there is no file.
        DamagedFile: it is too short for `rows` rows.
    """
    path = path_of(directory, generation)
    size = path.stat().st_size
    if size < rows * dimensions * 4 or size % max(dimensions * 4, 1) or not size:
        raise DamagedFile(
            f"{path.name}: got {size} bytes, expected {rows} rows of {dimensions * 4} or more"
        )
    return np.memmap(path, np.float32, "r").view(np.ndarray).reshape(-1, dimensions)


def check_rows(rows: Matrix, expected: int | None, name: str, before: int = 0) -> None:
    """Raises DamagedFile unless rows of a file have the expected checksum, if it is known.

    Args:
        rows: the rows to check, shape (n, d).
        expected: checksum of all rows to the last of these.
        name: name of the file, for the error.
        before: checksum of the rows before these.
    """
    if expected is not None and checksum(rows, before) != expected:
        raise DamagedFile(f"{name}: checksum differs")


def map_offsets(
    directory: Path, generation: int, mode: Literal["r", "r+"] = "r", rows: int = 0
) -> Vector:
    """Maps a generation's live offsets, shape (capacity,).

    Raises:
        FileNotFoundError: there is no file.
        DamagedFile: it is too short for `rows` rows, or holds what are no offsets.
        OSError: the disk has no room for what the file lacks, where it is mapped for writing.
    """
    path = offsets_path(directory, generation)
    found = path.stat()
    if found.st_size < max(rows, 1) * 4 or found.st_size % 4:
        raise DamagedFile(
            f"{path.name}: got {found.st_size} bytes, expected {rows} offsets or more"
        )
    if mode == "r+" and found.st_blocks * 512 < found.st_size:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, found.st_size)
    mapped = np.memmap(path, np.float32, mode).view(np.ndarray)
    if mode == "r" and not (np.abs(mapped[:rows]) < MOST).all():  # Not so for nan, either.
        raise DamagedFile(f"{path.name}: holds numbers that are no offsets")
    return mapped


def append_rows(
    directory: Path, generation: int, start: int, vectors: Matrix, path_of: PathOf = vectors_path
) -> bool:
    """Writes and syncs rows beyond those that readers see; False if the file has no room.

    Raises:
        OSError: the disk has no room; readers see nothing of it.
    """
    with path_of(directory, generation).open("r+b") as file:
        first = start * vectors.shape[1] * 4
        if first + vectors.nbytes > os.fstat(file.fileno()).st_size:
            return False
        file.seek(first)
        file.write(np.ascontiguousarray(vectors, np.float32).data)
        file.flush()
        os.fsync(file.fileno())
    return True


def write_version(directory: Path, version: int, frozen: Frozen) -> int:
    """Writes a version's file, whole or not at all; returns its checksum; raises OSError."""
    arrays = {
        "gram": frozen.gram,
        "prior_mean": frozen.prior_mean,
        "expectation": frozen.cold_start_prior.weights,
        "expectation_as_of_us": np.array(frozen.cold_start_prior.as_of_us),
        "popularity": frozen.popularity,
        "learnt": np.array(frozen.learnt),
        "segments": np.array(frozen.segments.names_json),
        "segment_entries": frozen.segments.entries,
        "tail": frozen.tail,
        **frozen.recent.arrays,
    }
    content = io.BytesIO()
    np.savez(content, **arrays)
    return _write(version_path(directory, version), content)


def read_version(directory: Path, version: int, crc: int | None = None) -> Frozen:
    """Reads a version's file.

    Raises:
        FileNotFoundError: there is no file.
        DamagedFile: it can't be read, or does not have this checksum.
    """
    path = version_path(directory, version)
    content = path.read_bytes()
    _check(path, content, crc)
    try:
        with _one_parses, np.load(io.BytesIO(content)) as arrays:
            as_of_us = int(arrays["expectation_as_of_us"])
            cold_start_prior = ColdStartPrior(arrays["expectation"], as_of_us)
            parts = Frozen(arrays["gram"], arrays["prior_mean"], cold_start_prior)
            if "learnt" not in arrays:  # Written before refreshes learnt weights.
                return parts
            parts = replace(parts, popularity=arrays["popularity"], learnt=str(arrays["learnt"]))
            if "segments" not in arrays:  # Written before refreshes learnt of segments.
                return parts
            names, entries = str(arrays["segments"]), arrays["segment_entries"]
            parts = replace(parts, segments=read_segment_popularity(names, entries))
            if "tail" not in arrays:  # Written before refreshes learnt of the long tail.
                return parts
            return replace(parts, tail=arrays["tail"], recent=read_recent_counts(arrays))
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DamagedFile(f"{path.name}: {error}") from error


def write_neighbours(directory: Path, number: int, neighbours: Neighbours) -> int:
    """Writes the neighbours of a refresh, whole or not at all; returns their checksum."""
    content = io.BytesIO()
    np.save(content, neighbours)
    return _write(neighbours_path(directory, number), content)


def map_neighbours(directory: Path, number: int, crc: int | None = None) -> Neighbours:
    """Maps the neighbours of a refresh, none for number 0.

    Raises:
        FileNotFoundError: there is no file.
        DamagedFile: it can't be read, or does not have this checksum.
    """
    if number == 0:
        return no_neighbours()
    path = neighbours_path(directory, number)
    if path.stat().st_size:
        _check(path, np.memmap(path, np.uint8, "r").data, crc)
    try:
        with _one_parses:
            mapped: Neighbours = np.load(path, mmap_mode="r")
    except (ValueError, EOFError, OSError) as error:
        raise DamagedFile(f"{path.name}: {error}") from error
    if mapped.dtype != NEIGHBOUR_DTYPE or mapped.ndim != 2:
        raise DamagedFile(f"{path.name}: holds no neighbours")
    return mapped.view(np.ndarray)


def write_content(path: Path, content: bytes | memoryview) -> int:
    """Writes a file as it is, whole or not at all; returns its checksum; raises OSError."""
    with whole_file(path, private=True) as file:
        file.write(content)
    return zlib.crc32(content)


def _write(path: Path, content: io.BytesIO) -> int:
    return write_content(path, content.getbuffer())


def _check(path: Path, content: bytes | memoryview, crc: int | None) -> None:
    if crc is not None and zlib.crc32(content) != crc:
        raise DamagedFile(f"{path.name}: checksum differs")


def prune(directory: Path, head: CatalogHead) -> None:
    """Removes files that no reader can still need."""
    newest = _newest(head)
    remove_partial(directory)
    for path in directory.iterdir():
        match = _NUMBERED.fullmatch(path.name)
        if match and int(match[2]) <= newest[match[1]] - KEPT:
            path.unlink(missing_ok=True)


def remove_unnamed(directory: Path, head: CatalogHead) -> None:
    """Removes the files of a change that has failed, which no head names and none will.

    Only in the store's turn: nobody else may be writing files meanwhile.
    """
    newest = _newest(head)
    for path in directory.iterdir() if directory.is_dir() else ():
        match = _NUMBERED.fullmatch(path.name)
        if match and int(match[2]) > newest[match[1]]:
            path.unlink(missing_ok=True)


def _newest(head: CatalogHead) -> dict[str, int]:
    """The number that a head names of each kind of file."""
    return {
        "vectors": head.generation,
        "texts": head.generation,
        "offsets": head.generation,
        "coarse": head.generation,
        "version": head.version,
        "neighbours": head.neighbours,
    }


def remove_partial(directory: Path) -> None:
    """Removes files that a killed writer has left half-written; raises OSError."""
    for path in directory.iterdir():
        match = re.fullmatch(r"\..+\.(\d+)\.partial", path.name)
        if match is None or ((process := process_stat(int(match[1]))) and process.alive):
            continue
        # A process of another container may have any id, but is not silent for long.
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _SILENT_S:
                path.unlink()
