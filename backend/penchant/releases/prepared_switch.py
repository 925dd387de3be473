"""A switch to a release made ready beside the server, so that its transaction is short.

While texts are read in the release's space, its residuals are written and the cold-start prior is
fitted, others may write. The transaction then reads the items that changed meanwhile, adds the
residuals to the vectors of the texts, writes the files and switches the head.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog.view import CatalogReader, CatalogView
from penchant.config import Config
from penchant.domain.arrays import Mask
from penchant.domain.cold_start import ColdStartPrior
from penchant.domain.residuals import anchored
from penchant.domain.types import CatalogHead, Matrix, StoredItem, Vector
from penchant.refresh.catalog_update import FittedParts, cold_start_prior_of
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.refresh_input import RefreshInput
from penchant.service.catalog_writer import MatrixChange, RefreshedParts, write_catalog
from penchant.service.user_interest import read_catalog
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.item_residuals import (
    drop_unused_residuals,
    replace_residuals,
    scan_residuals,
    stage_residuals,
    use_residuals,
)
from penchant.store.items import (
    items_changed,
    mark_items,
    read_head,
    read_sound_item,
    read_text_vector,
    scan_items,
)


@dataclass(frozen=True, slots=True)
class PreparedTexts:
    """The items of one snapshot, in the space of a release's encoder."""

    encoder_version: str
    marks: Mapping[bytes, int]
    """See `mark_items`."""
    texts: Matrix
    """Vectors of the items' texts by item number, shape (rows, d)."""
    alive: Mask
    """Which items can be ranked, shape (rows,)."""
    unread: tuple[str, ...]
    """Ids of items that can be ranked, whose texts had no vector: put after the others' texts were
    encoded."""
    cold_start_prior: ColdStartPrior

    @classmethod
    def read(
        cls, snapshot: Snapshot, config: Config, encoder_version: str, dimensions: int
    ) -> PreparedTexts:
        """Reads all items, and the vectors of their texts.

        Cost: three reads for each item; to be read beside the transaction.
        """
        rows = read_head(snapshot).rows
        texts, alive = np.zeros((rows, dimensions), np.float32), np.zeros(rows, np.bool_)
        marks = mark_items(snapshot)
        unread = _place(snapshot, encoder_version, scan_items(snapshot), texts, alive)
        numbers = np.flatnonzero(alive)
        prior = cold_start_prior_of(snapshot, config, numbers, texts[numbers])
        return cls(encoder_version, marks, texts, alive, tuple(unread), prior)

    def changed(self, snapshot: Snapshot) -> list[StoredItem]:
        """The items put, changed or deleted since, and those that were not read."""
        changed = {stored.item.id: stored for stored in items_changed(snapshot, self.marks)}
        for id_ in self.unread:
            stored = read_sound_item(snapshot, id_)
            if stored is not None:
                changed[id_] = stored
        return list(changed.values())

    def as_of(
        self, snapshot: Snapshot, changed: list[StoredItem], rows: int
    ) -> tuple[Matrix, Mask]:
        """The texts and the items that can be ranked, with those that changed since."""
        if not changed and rows == len(self.alive):
            return self.texts, self.alive
        texts, alive = np.zeros((rows, self.texts.shape[1]), np.float32), np.zeros(rows, np.bool_)
        texts[: len(self.texts)], alive[: len(self.alive)] = self.texts, self.alive
        _place(snapshot, self.encoder_version, changed, texts, alive)
        return texts, alive


@dataclass(frozen=True, slots=True)
class PreparedResiduals:
    """The residuals of a release, by item number."""

    values: Matrix
    """Shape (n, d); items with larger numbers have none."""
    staged: str | None = None
    """The set of the store that holds them; None: the store's own, or yet to be written."""
    to_write: bool = False
    """Whether the transaction has to write them."""

    @classmethod
    def staged_in(
        cls, store: Store, source: RefreshInput, fresh: RefreshedCatalog
    ) -> PreparedResiduals:
        """Writes those of a fit as a set that nobody uses yet.

        A refresh drops unused sets of the encoder that is served: for that encoder they are left to
        the transaction.
        """
        version = source.head.encoder_version
        numbers = np.fromiter(source.numbers, np.int64, len(source.numbers))
        values = np.zeros((int(numbers.max()) + 1, source.head.dimensions), np.float32)
        values[numbers] = fresh.residuals
        with store.snapshot() as snapshot:
            served = read_head(snapshot).encoder_version
        if version == served:
            return cls(values, to_write=True)
        drop_unused_residuals(store, version)  # What a killed publication left.
        return cls(values, stage_residuals(store, version, _moved(values)))

    @classmethod
    def kept(cls, snapshot: Snapshot, version: str, dimensions: int) -> PreparedResiduals:
        """Those that the store has kept of an earlier release."""
        values = np.zeros((read_head(snapshot).rows, dimensions), np.float32)
        for number, residual in scan_residuals(snapshot, version):
            values[number] = residual
        return cls(values)

    def use(self, transaction: Transaction, version: str) -> None:
        """Makes them those of an encoder."""
        if self.staged is not None:
            use_residuals(transaction, version, self.staged)
        elif self.to_write:
            replace_residuals(transaction, version, _moved(self.values))


def write_prepared(
    transaction: Transaction,
    directory: Path,
    view: CatalogView,
    head: CatalogHead,
    texts: PreparedTexts,
    changed: list[StoredItem],
    residuals: PreparedResiduals,
    fitted: FittedParts,
) -> CatalogHead:
    """Writes the files for the head of a release.

    Args:
        transaction: the transaction in which the caller switches the head; it holds the encoder's
            vectors of the texts that changed.
        directory: directory of the catalog's files.
        view: the catalog before.
        head: the head after, except for its version and files.
        texts: made ready in the space of `head`.
        changed: the items that changed since.
        residuals: in the space of `head`.
        fitted: the parts of the catalog that only a refresh makes, in the space of `head`.

    Returns:
        The head for the caller to write; `head` itself if nothing changed.
    """
    residuals.use(transaction, head.encoder_version)
    by_number, alive = texts.as_of(transaction, changed, head.rows)
    numbers = np.flatnonzero(alive)
    moved = np.zeros((head.rows, head.dimensions), np.float32)
    moved[: len(residuals.values)] = residuals.values
    vectors = anchored(by_number[numbers], moved[numbers])
    same = head == view.head and not head.lost and fitted.same_as(view)
    if same and np.array_equal(view.vectors[numbers], vectors):
        return head
    change = MatrixChange(
        numbers,
        vectors,
        by_number[numbers],
        new_space=head.encoder_version != view.head.encoder_version,
        refreshed=RefreshedParts(
            fitted.prior_mean,
            texts.cold_start_prior,
            fitted.neighbours,
            fitted.popularity,
            fitted.learnt,
            fitted.segments,
            fitted.tail,
            fitted.recent,
        ),
    )
    return write_catalog(directory, view, head, change)


def prepared_reader(store: Store, directory: Path, config: Config) -> CatalogReader:
    """A reader that has read the catalog, so that the transaction only reads what is new."""
    reader = CatalogReader(directory, config.fold)
    with store.snapshot() as snapshot:
        read_catalog(snapshot, reader)
    return reader


def _moved(values: Matrix) -> list[tuple[int, Vector]]:
    return [(number, values[number]) for number in np.flatnonzero(values.any(axis=1)).tolist()]


def _place(
    snapshot: Snapshot,
    encoder_version: str,
    items: Iterable[StoredItem],
    texts: Matrix,
    alive: Mask,
) -> list[str]:
    """Writes the vectors of items' texts into their rows; returns the ids of those without one."""
    without: list[str] = []
    for stored in items:
        alive[stored.number] = stored.alive
        vector = read_text_vector(snapshot, encoder_version, stored.item.text)
        texts[stored.number] = vector if stored.alive and vector is not None else 0.0
        if stored.alive and vector is None:
            without.append(stored.item.id)
    return without
