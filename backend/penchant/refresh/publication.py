"""Refreshing a store beside a running server: read the log, fit, publish in one transaction.

Only the last step holds the store's write lock. What changed since the log was read is not lost:
items put meanwhile have no residual yet, and changed texts keep theirs.
"""

from __future__ import annotations

import dataclasses
import json
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.offsets import ItemBiasTable
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.config import Config
from penchant.domain.cold_start import ColdStartPrior, fit_cold_start_prior
from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, Neighbours, no_neighbours
from penchant.domain.residuals import anchored
from penchant.domain.rewards import resolve
from penchant.domain.rollout import Rollout
from penchant.domain.types import CatalogHead, Matrix, Rows, StoredItem
from penchant.logs.interactions import Interactions
from penchant.refresh.item_vectors import RefreshedCatalog, refresh
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.publishing import Learnt, Publication, publish, require_text_vector
from penchant.service.user_interest import read_catalog, rollout_directory
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import scan_counters
from penchant.store.items import (
    read_head,
    read_item,
    replace_residuals,
    scan_items,
    scan_residuals,
    write_head,
)
from penchant.store.releases import read_log_of_releases
from penchant.store.rollouts import read_rollout, write_rollout
from penchant.store.users import read_log, scan_user_ids

ReadLog = Callable[[Mapping[str, int]], Interactions]
"""From the rows of the items that can be ranked, by id, to the events about them."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a refresh learns from, as of one snapshot."""

    head: CatalogHead
    numbers: dict[int, int]
    """From an item's number in the catalog to its row of `texts`."""
    texts: Matrix
    """Text vectors of the items that can be ranked, shape (n, d)."""
    events: Interactions


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh of a store did."""

    head: CatalogHead
    """The head that readers follow now."""
    events: int
    """Events of items that can be ranked."""
    moved: int
    """Items that have a residual."""


def refresh_store(
    store: Store,
    directory: Path,
    config: Config,
    settings: RefreshSettings,
    read: ReadLog | None = None,
) -> RefreshReport:
    """Fits the catalog to the whole log and publishes a version where anything changed.

    Args:
        store: the server's, or a copy.
        directory: of the catalog's files.
        config: signals as the server has them.
        settings: of the fit.
        read: reads a log that is kept elsewhere; None: the store's.

    Raises:
        ConfigError: the store holds no items; whatever `read` raises.
        InvalidEvent: a logged signal is no longer configured.
        StoreUnavailable: another encoder came meanwhile, or the files are gone: nothing changed.
    """
    with store.snapshot() as snapshot:
        material = read_material(snapshot, config, read)
        rollout = read_rollout(snapshot)
        tried = None if rollout is None else read_material(snapshot, config, read, rollout.head)
    fresh = refresh(material.events, material.texts, settings)
    with store.transaction() as transaction:
        head = publish_refreshed(transaction, directory, config, material, fresh)
    if rollout is not None and tried is not None:
        _refresh_trial(store, directory, config, rollout, tried)
    moved = int(fresh.residuals.any(axis=1).sum())
    return RefreshReport(head, len(material.events.item), moved)


def _refresh_trial(
    store: Store, directory: Path, config: Config, rollout: Rollout, material: Material
) -> None:
    """The same for a release on rollout, with its own settings, if it is still on rollout."""
    with store.snapshot() as snapshot:
        log = read_log_of_releases(snapshot)
    by = next(entry.refresh for entry in reversed(log) if entry.release == rollout.release)
    fresh = refresh(material.events, material.texts, RefreshSettings(**json.loads(by)))
    with store.transaction() as transaction:
        now = read_rollout(transaction)
        if now is None or now.release != rollout.release:
            return
        place = rollout_directory(directory, rollout.release)
        view = read_catalog(transaction, CatalogReader(place, config.fold), now.head)
        head = place_refreshed(transaction, place, config, view, now.head, material, fresh)
        write_rollout(transaction, dataclasses.replace(now, head=head))


def read_material(
    snapshot: Snapshot,
    config: Config,
    read: ReadLog | None = None,
    head: CatalogHead | None = None,
) -> Material:
    """The log and the texts' vectors in the space of a head; default: of the one that is served.

    See `refresh_store` for the errors.
    """
    head = head or read_head(snapshot)
    alive = [stored for stored in scan_items(snapshot) if stored.alive]
    if not alive:
        raise ConfigError("refresh: the store holds no items; put some first")
    rows = {stored.number: row for row, stored in enumerate(alive)}
    texts = _text_vectors(snapshot, head, alive)
    if read is None:
        return Material(head, rows, texts, _read(snapshot, config, rows))
    places = {stored.item.id: row for row, stored in enumerate(alive)}
    return Material(head, rows, texts, read(places))


def publish_refreshed(
    transaction: Transaction,
    directory: Path,
    config: Config,
    material: Material,
    fresh: RefreshedCatalog,
) -> CatalogHead:
    """Stores the residuals, writes the files and switches the head, all with the transaction."""
    view = read_catalog(transaction, CatalogReader(directory, config.fold))
    head = view.head
    if head.encoder_version != material.head.encoder_version:
        raise StoreUnavailable(
            f"refresh: the catalog's encoder changed from {material.head.encoder_version} to "
            f"{head.encoder_version} meanwhile; nothing was published, run it again"
        )
    head = place_refreshed(transaction, directory, config, view, head, material, fresh)
    write_head(transaction, head)
    return head


def place_refreshed(
    transaction: Transaction,
    directory: Path,
    config: Config,
    view: CatalogView,
    head: CatalogHead,
    material: Material,
    fresh: RefreshedCatalog,
) -> CatalogHead:
    """The same for a head that may name another encoder than the view's, with all its texts known.

    Args:
        transaction: in which the head is switched.
        directory: of the catalog's files.
        config: the server's.
        view: the catalog before.
        head: the catalog after, but for version and files.
        material: in the space of `head`.
        fresh: what was learnt from the material.
    """
    moved = fresh.residuals.any(axis=1)
    kept = [
        (number, fresh.residuals[row]) for number, row in material.numbers.items() if moved[row]
    ]
    replace_residuals(transaction, head.encoder_version, kept)
    neighbours = _by_number(fresh.neighbours, material, head.rows)
    return place_kept(transaction, directory, config, view, head, fresh.prior_mean, neighbours)


def place_kept(
    transaction: Transaction,
    directory: Path,
    config: Config,
    view: CatalogView,
    head: CatalogHead,
    prior_mean: NDArray[np.float64],
    neighbours: Neighbours,
) -> CatalogHead:
    """Writes the files of a head, with the residuals that the store has in its space.

    The caller commits the head that is returned.

    Args:
        transaction: in which the head will be switched.
        directory: of the catalog's files.
        config: the server's.
        view: the catalog before.
        head: the catalog after, but for version and files.
        prior_mean: the population's mean interest in the head's space, shape (d,).
        neighbours: by item number.
    """
    alive = [stored for stored in scan_items(transaction) if stored.alive]
    texts = _text_vectors(transaction, head, alive)
    numbers = np.array([stored.number for stored in alive], np.int64)
    residuals = np.zeros((head.rows, head.dimensions), np.float32)
    for number, residual in scan_residuals(transaction, head.encoder_version):
        residuals[number] = residual
    vectors = anchored(texts, residuals[numbers])
    same = head == view.head and np.array_equal(view.neighbours, neighbours)
    if same and np.array_equal(view.vectors[numbers], vectors):
        return head
    cold_start_prior = _cold_start_prior(transaction, config, numbers, texts)
    learnt = Learnt(prior_mean, cold_start_prior, neighbours)
    new_space = head.encoder_version != view.head.encoder_version
    publication = Publication(numbers, vectors, new_space=new_space, learnt=learnt)
    return publish(directory, view, head, publication)


def _by_number(neighbours: Neighbours, material: Material, rows: int) -> Neighbours:
    """Neighbours by the rows of `material.texts`, by item number instead."""
    if neighbours.shape[1] == 0:
        return no_neighbours()
    numbers = np.fromiter(material.numbers, np.int64)
    moved = np.zeros((1 + rows, neighbours.shape[1]), NEIGHBOUR_DTYPE)
    moved[0], moved[1 + numbers] = neighbours[0], neighbours[1:]
    moved["item"] = numbers[moved["item"]]
    return moved


def _cold_start_prior(
    snapshot: Snapshot, config: Config, numbers: Rows, texts: Matrix
) -> ColdStartPrior:
    book = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
    book.set(scan_counters(snapshot))
    positives, as_of_us = book.positives(int(numbers.max()) + 1)
    return fit_cold_start_prior(texts, positives[numbers], as_of_us)


def _text_vectors(snapshot: Snapshot, head: CatalogHead, items: list[StoredItem]) -> Matrix:
    vectors = np.empty((len(items), head.dimensions), np.float32)
    for row, stored in enumerate(items):
        vectors[row] = require_text_vector(snapshot, head, stored.item.text)
    return vectors


def _read(snapshot: Snapshot, config: Config, rows: dict[int, int]) -> Interactions:
    """Outcomes for items that can be ranked; an impression says nothing of what is liked."""
    places: dict[str, int | None] = {}
    users, items, times = array("q"), array("q"), array("q")
    rewards = array("d")
    for number, user in enumerate(scan_user_ids(snapshot)):
        for log_row in read_log(snapshot, user):
            event = log_row.event
            if event.item not in places:
                stored = read_item(snapshot, event.item)
                places[event.item] = None if stored is None else rows.get(stored.number)
            row = places[event.item]
            outcome = resolve(config.signals, event.signal, event.value)
            if row is not None and outcome.wait_s is None:
                users.append(number)
                items.append(row)
                rewards.append(outcome.reward)
                times.append(event.occurred_at_us)
    return Interactions(
        user=np.array(users, np.int64),
        item=np.array(items, np.int64),
        reward=np.array(rewards, np.float64),
        at_us=np.array(times, np.int64),
    )
