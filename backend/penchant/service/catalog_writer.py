"""Writes the catalog's files for a new head, synced to disk before a head names them."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penchant.catalog import files
from penchant.catalog.files import DamagedFile, Frozen, PathOf
from penchant.catalog.view import CatalogView
from penchant.domain.arrays import Mask
from penchant.domain.cold_start import ColdStartPrior, flat_cold_start_prior
from penchant.domain.errors import StoreUnavailable
from penchant.domain.neighbours import Neighbours
from penchant.domain.recent_counts import RecentCounts
from penchant.domain.residuals import anchored
from penchant.domain.segments import SegmentPopularity
from penchant.domain.types import CatalogHead, Item, Matrix, Rows, Vector
from penchant.service.catalog_version import freeze, gram_of
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.item_residuals import read_residual
from penchant.store.items import read_head, read_text_vector

log = logging.getLogger("penchant")

GROWTH = 1.1
"""Additions alone make a new version (a new Gram matrix) once the catalog grew by this factor."""


def _no_rows() -> Rows:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class RefreshedParts:
    """Parts of a catalog version, besides the vectors, that only a refresh makes."""

    prior_mean: NDArray[np.float64]
    """Mean interest of the population, shape (d,)."""
    cold_start_prior: ColdStartPrior
    """Predicts the counters that a new item starts with."""
    neighbours: Neighbours
    """Neighbours by item number."""
    popularity: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """What popularity adds to each score, by item number, shape (n,)."""
    learnt: str = "{}"
    """Settings of the fold that were learnt, as a JSON object."""
    segments: SegmentPopularity = field(default_factory=SegmentPopularity)
    """What the segments of a ranking's context add, by item number."""
    tail: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """g_i of `penchant.domain.long_tail`, by item number, shape (n,), or empty for 0."""
    recent: RecentCounts = field(default_factory=RecentCounts)
    """What the live offsets are made of, by item number."""


@dataclass(frozen=True, slots=True)
class MatrixChange:
    """A change of the item matrix from one head to the next."""

    numbers: Rows = field(default_factory=_no_rows)
    """Rows that get a vector, shape (n,)."""
    vectors: Matrix = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """Their vectors, shape (n, d)."""
    texts: Matrix | None = None
    """Vectors of their texts, shape (n, d); None: the same vectors."""
    removed: list[int] = field(default_factory=list)
    """Rows that leave every ranking."""
    new_space: bool = False
    """True if another encoder made the vectors, so that no old vector may stay."""
    refreshed: RefreshedParts | None = None
    """Parts from a refresh; None: those of the version before stay."""


def commit_catalog(
    store: Store, directory: Path, switch: Callable[[Transaction], CatalogHead]
) -> CatalogHead:
    """The head after a switch in a transaction of its own; of one that fails, no file stays.

    Args:
        store: the store.
        directory: directory of the catalog's files.
        switch: writes files and head; may run several times.

    Raises:
        StoreUnavailable: nothing that readers see has changed.
    """
    try:
        return in_transaction(store, switch)
    except StoreUnavailable:
        if not store.shared:  # Else other servers may be writing files meanwhile.
            with contextlib.suppress(StoreUnavailable, OSError), store.transaction() as turn:
                files.remove_unnamed(directory, read_head(turn))
        raise


def write_catalog(
    directory: Path, view: CatalogView, head: CatalogHead, change: MatrixChange
) -> CatalogHead:
    """Writes the catalog's files after a change.

    New items are appended to the matrix in place, since nobody reads past the head's rows. A change
    to a row that readers see goes to a new file, so that no ranking mixes old and new vectors.

    Args:
        directory: directory of the catalog's files.
        view: the catalog before the change.
        head: the head after the change, except for its version and generation.
        change: the change.

    Returns:
        The head to commit. Cost: the new rows; a copy of the matrix if old rows change; the Gram
        matrix, O(N d^2), if a new version is made.

    Raises:
        StoreUnavailable: the files can't be written, as on a full disk; readers see no change.
    """
    old = view.head
    alive = np.zeros(head.rows, np.bool_)
    alive[: old.rows] = view.alive
    alive[change.numbers] = True
    alive[change.removed] = False
    try:
        return _written(directory, view, head, change, alive)
    except DamagedFile as error:
        raise StoreUnavailable(
            f"catalog: {error}: its files are damaged; the server writes them again within "
            "seconds: send the call again"
        ) from error
    except OSError as error:
        with contextlib.suppress(OSError):
            files.remove_unnamed(directory, old)
        raise StoreUnavailable(
            f"catalog: its files can't be written: {error.strerror}; nothing was changed; free "
            "disk space and send the call again"
        ) from error


def _written(
    directory: Path, view: CatalogView, head: CatalogHead, change: MatrixChange, alive: Mask
) -> CatalogHead:
    old = view.head
    in_place = _only_adds(view, change) and _append(directory, old, change)
    if in_place:
        head = dataclasses.replace(
            head,
            vectors_crc=_grown(directory, old, head.rows, old.vectors_crc, files.vectors_path),
            texts_crc=_grown(directory, old, head.rows, old.texts_crc, files.texts_path),
        )
    else:
        head = _new_generation(directory, view, head, change)
    refreshed = change.refreshed
    if in_place and head.alive < GROWTH * head.frozen_items and refreshed is None:
        return head
    matrix = files.map_vectors(directory, head.generation, head.dimensions)[: head.rows]
    files.check_rows(matrix, head.vectors_crc, "vectors")
    gram = gram_of(matrix, alive)
    if refreshed is None:
        frozen = _as_before(view, head, gram)
    else:
        frozen = Frozen(
            gram,
            refreshed.prior_mean,
            refreshed.cold_start_prior,
            refreshed.popularity,
            refreshed.learnt,
            refreshed.segments,
            refreshed.tail,
            refreshed.recent,
        )
        number = old.neighbours + 1
        crc = files.write_neighbours(directory, number, refreshed.neighbours)
        head = dataclasses.replace(head, neighbours=number, neighbours_crc=crc, lost="")
    head = freeze(directory, head, frozen)
    files.prune(directory, head)
    return head


def _grown(
    directory: Path, old: CatalogHead, rows: int, before: int | None, path_of: PathOf
) -> int:
    """The checksum of a file's rows after some were appended."""
    matrix = files.map_vectors(directory, old.generation, old.dimensions, rows, path_of)
    start = 0 if before is None else old.rows
    return files.checksum(matrix[start:rows], before or 0)


def _only_adds(view: CatalogView, change: MatrixChange) -> bool:
    """Whether every row that readers see stays as it is."""
    without_texts = view.head.generation == 0 or view.head.texts_crc is None
    if change.removed or change.new_space or without_texts:
        return False
    held = change.numbers < view.head.rows
    numbers = change.numbers[held]
    same = (view.vectors[numbers] == change.vectors[held]).all(axis=1)
    return bool((same & view.alive[numbers]).all())


def _append(directory: Path, old: CatalogHead, change: MatrixChange) -> bool:
    """Writes the new rows past the old ones; False where the file has no room."""
    added = np.flatnonzero(change.numbers >= old.rows)
    order = added[np.argsort(change.numbers[added])]
    texts = change.vectors if change.texts is None else change.texts
    return all(
        files.append_rows(directory, old.generation, old.rows, matrix[order], path_of)
        for matrix, path_of in ((texts, files.texts_path), (change.vectors, files.vectors_path))
    )


def _new_generation(
    directory: Path, view: CatalogView, head: CatalogHead, change: MatrixChange
) -> CatalogHead:
    matrix, texts = np.zeros((2, head.rows, head.dimensions), np.float32)
    if view.head.rows and not change.new_space:
        matrix[: view.head.rows], texts[: view.head.rows] = view.vectors, view.texts
        # Before a checksum is made of the copy: what was damaged must not pass for sound.
        files.check_rows(matrix[: view.head.rows], view.head.vectors_crc, "vectors")
        files.check_rows(texts[: view.head.rows], view.head.texts_crc, "texts")
    if len(change.numbers):
        matrix[change.numbers] = change.vectors
        texts[change.numbers] = change.vectors if change.texts is None else change.texts
    offsets = np.zeros(head.rows, np.float32)
    offsets[: view.head.rows] = view.offsets
    generation = view.head.generation + 1
    crc = files.write_generation(directory, generation, matrix, offsets)
    texts_crc = files.write_texts(directory, generation, texts)
    return dataclasses.replace(head, generation=generation, vectors_crc=crc, texts_crc=texts_crc)


def _as_before(view: CatalogView, head: CatalogHead, gram: NDArray[np.float64]) -> Frozen:
    """The old version's parts where the space is the same, else zeros: the catalog's centre."""
    if view.head.version and view.head.encoder_version == head.encoder_version:
        return dataclasses.replace(view.frozen, gram=gram)
    return Frozen(gram, np.zeros(head.dimensions), flat_cold_start_prior(head.dimensions))


def placed(snapshot: Snapshot, encoder_version: str, number: int, text: Vector) -> Vector:
    """An item's vector, shape (d,): its text's, moved by its residual in the same space."""
    residual = read_residual(snapshot, encoder_version, number)
    return text if residual is None else anchored(text[None], residual[None])[0]


def text_vector(snapshot: Snapshot, head: CatalogHead, item: Item) -> Vector:
    """The vector of an item's text, shape (d,); zeros, said in the log, where it is lost."""
    vector = read_text_vector(snapshot, head.encoder_version, item.text)
    if vector is not None and len(vector) == head.dimensions:
        return vector
    log.error("StateCorrupt: the vector of item %r is lost: put the item again", item.id)
    return np.zeros(head.dimensions, np.float32)
