"""A refresh made ready beside the server, so that its transaction is short, however many items.

While the catalog is read, its residuals are written and the cold-start prior is fitted, others may
write. The transaction then reads what came meanwhile, adds the residuals to the vectors of the
texts, writes the files and switches the head, and touches the same few rows however many items
there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog import files
from penchant.catalog.files import DamagedFile
from penchant.catalog.view import CatalogReader
from penchant.config import Config
from penchant.domain.cold_start import ColdStartPrior
from penchant.domain.errors import StoreUnavailable
from penchant.domain.residuals import anchored
from penchant.domain.types import CatalogHead, Matrix
from penchant.refresh.catalog_update import (
    FittedParts,
    cold_start_prior_of,
    require_same_encoder,
    switch_to_refreshed,
)
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.refresh_input import RefreshInput
from penchant.service.catalog_writer import (
    MatrixChange,
    RefreshedParts,
    commit_catalog,
    write_catalog,
)
from penchant.service.user_interest import read_catalog
from penchant.store.base import Store, Transaction
from penchant.store.item_residuals import drop_unused_residuals, stage_residuals, use_residuals
from penchant.store.items import write_head
from penchant.store.refresh_note import RefreshNote, write_refresh_note


def publish_refreshed(
    store: Store,
    directory: Path,
    config: Config,
    source: RefreshInput,
    fresh: RefreshedCatalog,
    note: RefreshNote,
) -> CatalogHead:
    """Writes the residuals and the files of a refreshed catalog, and switches the head.

    Changes since the input was read are not lost: items put meanwhile have no residual yet, and
    changed texts keep theirs. No other refresh of the store may be under way (`refresh_turn`).

    Args:
        store: the server's store, or a copy.
        directory: directory of the catalog's files.
        config: the server's settings.
        source: the input of the refresh.
        fresh: its result.
        note: of the refresh, for the store.

    Raises:
        StoreUnavailable: another encoder was published after the input was read.
    """
    version = source.head.encoder_version
    drop_unused_residuals(store, version)  # What a killed refresh left.
    prepared = _prepare(store, directory, config, source, fresh)

    def switch(transaction: Transaction) -> CatalogHead:
        head = _switch(transaction, directory, config, source, fresh, prepared)
        write_refresh_note(transaction, note)
        return head

    head = commit_catalog(store, directory, switch)
    drop_unused_residuals(store, version)
    return head


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What was made ready as of a snapshot."""

    reader: CatalogReader
    residual_set: str
    residuals: Matrix
    """By item number, shape (n, d)."""
    fitted: FittedParts
    cold_start_prior: ColdStartPrior


def _prepare(
    store: Store, directory: Path, config: Config, source: RefreshInput, fresh: RefreshedCatalog
) -> _Prepared:
    reader = CatalogReader(directory, config.fold)
    with store.snapshot() as snapshot:
        head = read_catalog(snapshot, reader).head
        require_same_encoder(head, source)
        numbers = np.fromiter(source.numbers, np.int64, len(source.numbers))
        prior = cold_start_prior_of(snapshot, config, numbers, source.texts)
    residuals = np.zeros((head.rows, head.dimensions), np.float32)
    residuals[numbers] = fresh.residuals
    moved = np.flatnonzero(residuals.any(axis=1)).tolist()
    staged = [(number, residuals[number]) for number in moved]
    name = stage_residuals(store, head.encoder_version, staged)
    return _Prepared(reader, name, residuals, FittedParts.made(fresh, source, head.rows), prior)


def _switch(
    transaction: Transaction,
    directory: Path,
    config: Config,
    source: RefreshInput,
    fresh: RefreshedCatalog,
    prepared: _Prepared,
) -> CatalogHead:
    view = read_catalog(transaction, prepared.reader)
    head = view.head
    require_same_encoder(head, source)
    if head.texts_crc is None and head.rows:  # Of an older release, until a server has started.
        return switch_to_refreshed(transaction, directory, config, source, fresh)
    try:
        files.check_rows(view.texts, head.texts_crc, "texts")
    except DamagedFile as error:
        raise StoreUnavailable(
            f"catalog: {error}: its files are damaged; a server writes them again within seconds: "
            "run the refresh again"
        ) from error
    use_residuals(transaction, head.encoder_version, prepared.residual_set)
    numbers = np.flatnonzero(view.alive)
    residuals = np.zeros((head.rows, head.dimensions), np.float32)
    residuals[: len(prepared.residuals)] = prepared.residuals
    texts = view.texts[numbers]
    vectors = anchored(texts, residuals[numbers])
    fitted = prepared.fitted
    same = not head.lost and fitted.same_as(view)
    if same and np.array_equal(view.vectors[numbers], vectors):
        return head
    parts = RefreshedParts(
        fitted.prior_mean,
        prepared.cold_start_prior,
        fitted.neighbours,
        fitted.popularity,
        fitted.learnt,
        fitted.segments,
        fitted.tail,
        fitted.recent,
    )
    change = MatrixChange(numbers, vectors, texts, refreshed=parts)
    head = write_catalog(directory, view, head, change)
    write_head(transaction, head)
    return head
