"""The catalog as one ranking sees it, and the reader that keeps it up to date."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog import files
from penchant.catalog.file_sizes import NO_FILES, FileSizes
from penchant.catalog.files import DamagedFile, Frozen, PathOf
from penchant.catalog.numbers import NONE, ItemNumbers
from penchant.domain.arrays import Mask
from penchant.domain.cold_start import flat_cold_start_prior
from penchant.domain.interest import Items, Prior, prior_precision
from penchant.domain.long_tail import weighed_tail, whole_tail
from penchant.domain.neighbours import Neighbours
from penchant.domain.settings import FoldSettings
from penchant.domain.types import CatalogChange, CatalogHead, Matrix, Rows, Vector, Window


@dataclass(frozen=True, slots=True)
class CatalogView:
    """The items, vectors and priors of one head; immutable except for the live offsets."""

    head: CatalogHead
    settings: FoldSettings
    """The server's settings, overridden by what the last refresh learnt, by the release's score
    weights, and by what the operator set."""
    digest: int
    """64-bit digest of the fold's inputs other than catalog version, window and clock."""
    vectors: Matrix
    """Shape (rows, d); a memory map shared by all processes."""
    texts: Matrix
    """Vectors of the items' texts alone, for queries, shape (rows, d); mapped too."""
    offsets: Vector
    """b_i now, shape (rows,); changes as feedback arrives, in whichever process."""
    prior: Prior
    neighbours: Neighbours
    """The neighbour table; a memory map shared by all processes."""
    offset_weights: Vector
    """c_i of `penchant.domain.long_tail`, shape (rows,)."""
    popularity: Vector
    """p_i of the same module, shape (rows,)."""
    tail: Vector
    """g_i of the same module, shape (rows,)."""
    frozen: Frozen
    """The parts of the fold that the version fixes, as its file holds them."""
    alive: Mask
    """False for deleted items, shape (rows,)."""
    ids: list[str]
    """Item ids by number; may extend beyond `rows`."""
    numbers: ItemNumbers
    """Numbers of rankable items by id; may extend beyond `rows`."""

    def number(self, id_: str) -> int | None:
        """The row of a rankable item, or None."""
        number = self.numbers.get(id_)
        return number if number is not None and number < self.head.rows else None

    def items_of(self, window: Window) -> Items:
        """The items of a window's events, as the fold needs them."""
        numbers = window["item"].astype(np.int64)
        known = numbers < self.head.rows
        rows = np.where(known, numbers, 0)
        if self.head.rows == 0:
            empty = np.zeros((len(window), self.head.dimensions), np.float32)
            return Items(empty, known)
        return Items(self.vectors[rows], known & self.alive[rows])

    def find(self, ids: Sequence[str]) -> tuple[Rows, list[str]]:
        """The rows of the rankable ids, in order, and the ids that are not rankable."""
        rows = self.numbers.find(ids)
        if rows.min(initial=0) > NONE and rows.max(initial=NONE) < self.head.rows:
            return rows, []
        known = (rows != NONE) & (rows < self.head.rows)
        return rows[known], [ids[place] for place in np.flatnonzero(~known)]


class CatalogReader:
    """Follows the head: maps new files and reads the rest of the catalog log. Thread-safe."""

    def __init__(
        self, directory: Path, settings: FoldSettings, fixed: Collection[str] = ()
    ) -> None:
        """Follows the catalog in a directory.

        Args:
            directory: the catalog's files.
            settings: the server's settings of the fold.
            fixed: names of the settings that neither a refresh nor a release changes.
        """
        self._directory = directory
        self._settings = settings
        self._fixed = fixed
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._numbers = ItemNumbers()
        self._view: CatalogView | None = None
        self._sizes = NO_FILES

    @property
    def latest(self) -> CatalogView | None:
        """The catalog as this reader last saw it; None before the first time."""
        return self._view

    def view(
        self, head: CatalogHead, changes: Callable[[int], Iterable[CatalogChange]]
    ) -> CatalogView:
        """The catalog at a head, or at a newer one that another thread has reached.

        Args:
            head: as read in the caller's snapshot.
            changes: reads the catalog log from a position on, in the same snapshot.

        Raises:
            FileNotFoundError: the head is so old that its files were removed; take a new snapshot.
            DamagedFile: a file is not as it was written, or was truncated since.

        Cost: under 1 microsecond if the head has not moved.
        """
        view = self._view
        if view is not None and view.head == head:
            self._require_whole()
            return view
        with self._lock:
            # A thread with an older snapshot may ask for a head behind the current view.
            if self._view is None or _order(self._view.head) <= _order(head):
                # Before the files are read: what is cut off later is found by the next look.
                sizes = FileSizes(files.mapped_paths(self._directory, head))
                self._view = self._follow(head, changes, self._view)
                self._sizes = sizes
            self._require_whole()
            return self._view

    def still(self, view: CatalogView) -> bool:
        """Whether a view is the latest, and its files are as long as when they were mapped."""
        return self._view is view and self._sizes.truncated() is None

    def _require_whole(self) -> None:
        name = self._sizes.truncated()
        if name is not None:
            raise DamagedFile(f"{name}: was truncated")

    def _follow(
        self,
        head: CatalogHead,
        changes: Callable[[int], Iterable[CatalogChange]],
        old: CatalogView | None,
    ) -> CatalogView:
        alive = self._alive(head, changes, old)
        vectors, texts, offsets = self._files(head, old)
        frozen = self._frozen(head, old)
        settings = self._settings.overridden((frozen.learnt, head.score_weights), keep=self._fixed)
        popularity = np.zeros(head.rows, np.float32)
        popularity[: len(frozen.popularity)] = frozen.popularity[: head.rows]
        tail = whole_tail(frozen.tail, head.rows)
        offset_weights, popularity = weighed_tail(popularity, tail, settings)
        return CatalogView(
            head=head,
            settings=settings,
            digest=fold_digest(settings, head),
            vectors=vectors[: head.rows],
            texts=texts[: head.rows],
            offsets=offsets[: head.rows],
            prior=Prior(prior_precision(frozen.gram, settings), frozen.prior_mean),
            neighbours=self._neighbours(head, old),
            offset_weights=offset_weights,
            popularity=popularity,
            tail=tail,
            frozen=frozen,
            alive=alive,
            ids=self._ids,
            numbers=self._numbers,
        )

    def _alive(
        self,
        head: CatalogHead,
        changes: Callable[[int], Iterable[CatalogChange]],
        old: CatalogView | None,
    ) -> Mask:
        alive = np.zeros(head.rows, np.bool_)
        start = 0
        if old is not None:
            alive[: len(old.alive)] = old.alive
            start = old.head.log_length
        # A store in a network may already show changes that came after the head.
        for change in itertools.islice(changes(start), max(0, head.log_length - start)):
            if change.number >= head.rows:
                continue
            if change.number == len(self._ids):
                self._ids.append(change.id)
            alive[change.number] = change.alive
            if change.alive:
                self._numbers.add(change.id, change.number)
            else:
                self._numbers.remove(change.id)
        self._numbers.settle()
        return alive

    def _files(self, head: CatalogHead, old: CatalogView | None) -> tuple[Matrix, Matrix, Vector]:
        if head.generation == 0:
            empty = np.empty((0, head.dimensions), np.float32)
            return empty, empty, np.empty(0, np.float32)
        vectors = self._rows(head, old, files.vectors_path)
        texts = vectors
        if head.texts_crc is not None:
            texts = self._rows(head, old, files.texts_path)
        offsets = files.map_offsets(self._directory, head.generation, rows=head.rows)
        return vectors, texts, offsets

    def _rows(self, head: CatalogHead, old: CatalogView | None, path_of: PathOf) -> Matrix:
        """Maps the vectors of the items or of their texts, and checks the rows that are new."""
        directory, generation, rows = self._directory, head.generation, head.rows
        vectors = files.map_vectors(directory, generation, head.dimensions, rows, path_of)
        start, before = 0, 0
        known = None if old is None or old.head.generation != generation else old.head
        if known is not None and known.rows <= rows:
            checked = _crc_of(known, path_of)
            if checked is not None:
                # Rows are only appended; those before were checked when they were mapped.
                start, before = known.rows, checked
        name = path_of(directory, generation).name
        files.check_rows(vectors[start:rows], _crc_of(head, path_of), name, before)
        return vectors

    def _frozen(self, head: CatalogHead, old: CatalogView | None) -> Frozen:
        if head.version == 0:
            nothing = flat_cold_start_prior(head.dimensions)
            zeros = np.zeros((head.dimensions, head.dimensions))
            return Frozen(zeros, np.zeros(head.dimensions), nothing)
        if old is not None and old.head.version == head.version:
            return old.frozen
        return files.read_version(self._directory, head.version, head.version_crc)

    def _neighbours(self, head: CatalogHead, old: CatalogView | None) -> Neighbours:
        if old is not None and old.head.neighbours == head.neighbours:
            return old.neighbours
        return files.map_neighbours(self._directory, head.neighbours, head.neighbours_crc)


def _crc_of(head: CatalogHead, path_of: PathOf) -> int | None:
    return head.vectors_crc if path_of is files.vectors_path else head.texts_crc


def fold_digest(settings: FoldSettings, head: CatalogHead) -> int:
    """64-bit digest of settings and vector space, equal where a version's folds are equal."""
    text = f"{settings.digest()} {head.encoder_version} {head.release}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _order(head: CatalogHead) -> tuple[int, int, int]:
    """A key that grows with every change of the catalog."""
    return head.version, head.log_length, head.generation
