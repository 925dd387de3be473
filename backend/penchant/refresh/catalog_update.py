"""Writes a refreshed catalog into a store: residuals, files of a new generation, and the head.

Everything here runs in the caller's transaction. Changes since the refresh's input was read are not
lost: items put meanwhile have no residual yet, and changed texts keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog.item_biases import ItemBiasTable
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.config import Config
from penchant.domain.arrays import Float64
from penchant.domain.cold_start import ColdStartPrior, fit_cold_start_prior
from penchant.domain.errors import StoreUnavailable
from penchant.domain.limits import AHEAD_US
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, Neighbours, no_neighbours
from penchant.domain.recent_counts import RecentCounts
from penchant.domain.residuals import anchored
from penchant.domain.segments import SegmentPopularity
from penchant.domain.types import CatalogHead, Matrix, Rows, Vector
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.refresh_input import RefreshInput, text_vectors
from penchant.service.catalog_writer import MatrixChange, RefreshedParts, write_catalog
from penchant.service.clock import system_clock
from penchant.service.user_interest import read_catalog
from penchant.store.base import Snapshot, Transaction
from penchant.store.counters import scan_counters
from penchant.store.item_residuals import replace_residuals, scan_residuals
from penchant.store.items import scan_items, write_head


@dataclass(frozen=True, slots=True)
class FittedParts:
    """The parts of a catalog, besides residuals, that come from a fit to the log."""

    prior_mean: Float64
    """Mean interest of the population, shape (d,)."""
    neighbours: Neighbours
    """Neighbours by item number."""
    popularity: Vector
    """What popularity adds to each score, by item number, shape (n,); may be shorter."""
    learnt: str
    """Settings of the fold that were learnt, as a JSON object."""
    segments: SegmentPopularity
    """What the segments of a ranking's context add, by item number."""
    tail: Vector
    """g_i of `penchant.domain.long_tail`, by item number, shape (n,), or empty for 0."""
    recent: RecentCounts
    """What the live offsets are made of, by item number."""

    @classmethod
    def of(cls, view: CatalogView, prior_mean: Float64) -> FittedParts:
        """The parts of a catalog that is served, with a prior of its own."""
        frozen = view.frozen
        return cls(
            prior_mean,
            view.neighbours,
            frozen.popularity,
            frozen.learnt,
            frozen.segments,
            frozen.tail,
            frozen.recent,
        )

    @classmethod
    def made(cls, fresh: RefreshedCatalog, source: RefreshInput, rows: int) -> FittedParts:
        """The parts of a refreshed catalog, for items with numbers below `rows`."""
        return cls(
            fresh.prior_mean,
            _by_number(fresh.neighbours, source, rows),
            _moved(fresh.popularity, source, rows, 0.0),
            fresh.learnt.settings_json,
            _segments_by_number(fresh.segments, source),
            _moved(fresh.tail, source, rows, 1.0),
            fresh.recent.moved(lambda values: _moved(values, source, rows, 0.0)),
        )

    def same_as(self, view: CatalogView) -> bool:
        """Whether neighbours, popularities, tail and learnt settings are those of a catalog."""
        return (
            np.array_equal(view.neighbours, self.neighbours)
            and np.array_equal(view.frozen.popularity, self.popularity)
            and view.frozen.learnt == self.learnt
            and self.segments.same_as(view.frozen.segments)
            and np.array_equal(view.frozen.tail, self.tail)
            and self.recent.same_as(view.frozen.recent)
        )


def switch_to_refreshed(
    transaction: Transaction,
    directory: Path,
    config: Config,
    source: RefreshInput,
    fresh: RefreshedCatalog,
) -> CatalogHead:
    """Writes the residuals and the files, and switches the head.

    Args:
        transaction: the transaction that commits all of it.
        directory: directory of the catalog's files.
        config: the server's settings.
        source: the input of the refresh.
        fresh: its result.

    Raises:
        StoreUnavailable: another encoder was published after the input was read.
    """
    view = read_catalog(transaction, CatalogReader(directory, config.fold))
    head = view.head
    require_same_encoder(head, source)
    head = write_refreshed(transaction, directory, config, view, head, source, fresh)
    write_head(transaction, head)
    return head


def require_same_encoder(head: CatalogHead, source: RefreshInput) -> None:
    """Raises StoreUnavailable if another encoder was published after the input was read."""
    if head.encoder_version != source.head.encoder_version:
        raise StoreUnavailable(
            f"refresh: the catalog's encoder changed from {source.head.encoder_version} to "
            f"{head.encoder_version} meanwhile; nothing was published, run it again"
        )


def write_refreshed(
    transaction: Transaction,
    directory: Path,
    config: Config,
    view: CatalogView,
    head: CatalogHead,
    source: RefreshInput,
    fresh: RefreshedCatalog,
) -> CatalogHead:
    """Writes the residuals and the files for a head.

    The head may name another encoder than the view; the store must hold that encoder's vectors of
    all texts.

    Args:
        transaction: the transaction in which the caller switches the head.
        directory: directory of the catalog's files.
        config: the server's settings.
        view: the catalog before.
        head: the head after, except for its version and files.
        source: the input of the refresh, in the space of `head`.
        fresh: its result.

    Returns:
        The head for the caller to write.
    """
    moved = fresh.residuals.any(axis=1)
    kept = [(number, fresh.residuals[row]) for number, row in source.numbers.items() if moved[row]]
    replace_residuals(transaction, head.encoder_version, kept)
    fitted = FittedParts.made(fresh, source, head.rows)
    return write_from_residuals(transaction, directory, config, view, head, fitted)


def write_from_residuals(
    transaction: Transaction,
    directory: Path,
    config: Config,
    view: CatalogView,
    head: CatalogHead,
    fitted: FittedParts,
) -> CatalogHead:
    """Writes the files for a head from the residuals that the store holds in its space.

    Args:
        transaction: the transaction in which the caller switches the head.
        directory: directory of the catalog's files.
        config: the server's settings.
        view: the catalog before.
        head: the head after, except for its version and files.
        fitted: the parts of the catalog that only a refresh makes, in the head's space.

    Returns:
        The head for the caller to write; `head` itself if nothing changed.
    """
    alive = [stored for stored in scan_items(transaction) if stored.alive]
    texts = text_vectors(transaction, head, alive)
    numbers = np.array([stored.number for stored in alive], np.int64)
    residuals = np.zeros((head.rows, head.dimensions), np.float32)
    for number, residual in scan_residuals(transaction, head.encoder_version):
        residuals[number] = residual
    vectors = anchored(texts, residuals[numbers])
    same = head == view.head and not head.lost and fitted.same_as(view)
    if same and np.array_equal(view.vectors[numbers], vectors):
        return head
    cold_start_prior = cold_start_prior_of(transaction, config, numbers, texts)
    change = MatrixChange(
        numbers,
        vectors,
        texts,
        new_space=head.encoder_version != view.head.encoder_version,
        refreshed=RefreshedParts(
            fitted.prior_mean,
            cold_start_prior,
            fitted.neighbours,
            fitted.popularity,
            fitted.learnt,
            fitted.segments,
            fitted.tail,
            fitted.recent,
        ),
    )
    return write_catalog(directory, view, head, change)


def _by_number(neighbours: Neighbours, source: RefreshInput, rows: int) -> Neighbours:
    """Moves neighbours from the rows of `source.texts` to item numbers."""
    if neighbours.shape[1] == 0:
        return no_neighbours()
    numbers = np.fromiter(source.numbers, np.int64)
    moved = np.zeros((1 + rows, neighbours.shape[1]), NEIGHBOUR_DTYPE)
    moved[0], moved[1 + numbers] = neighbours[0], neighbours[1:]
    moved["item"] = numbers[moved["item"]]
    return moved


def _moved(values: Vector, source: RefreshInput, rows: int, others: float) -> Vector:
    """Moves values from the rows of `source.texts` to item numbers; other items get `others`."""
    if not len(values):
        return values
    moved = np.full(rows, others, np.float32)
    moved[np.fromiter(source.numbers, np.int64)] = values
    return moved


def _segments_by_number(segments: SegmentPopularity, source: RefreshInput) -> SegmentPopularity:
    if not segments:
        return segments
    entries = segments.entries.copy()
    entries["item"] = np.fromiter(source.numbers, np.int64)[entries["item"]]
    return SegmentPopularity(segments.names, entries)


def cold_start_prior_of(
    snapshot: Snapshot, config: Config, numbers: Rows, texts: Matrix
) -> ColdStartPrior:
    """Predicts the likes of new items by those of the items, given with their texts' vectors."""
    biases = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
    biases.limit(system_clock() + AHEAD_US)  # One event of a wrong clock must not fade the rest.
    biases.set(scan_counters(snapshot))
    positives, as_of_us = biases.positives(int(numbers.max()) + 1)
    return fit_cold_start_prior(texts, positives[numbers], as_of_us)
