"""Reads the input of a refresh from a store: text vectors, and the events about their items."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.types import CatalogHead, Matrix, StoredItem
from penchant.logs.interactions import Interactions
from penchant.service.catalog_writer import text_vector
from penchant.store.base import Snapshot
from penchant.store.items import read_head, read_sound_item, scan_items
from penchant.store.users import read_log, scan_user_ids

ReadLog = Callable[[Mapping[str, int]], Interactions]
"""Reads the events about items, given the row of each item's text vector by the item's id."""


@dataclass(frozen=True, slots=True)
class RefreshInput:
    """Texts and events of one snapshot."""

    head: CatalogHead
    """Head of the catalog in whose space the texts are."""
    numbers: dict[int, int]
    """Rows of `texts` by item number."""
    texts: Matrix
    """Text vectors of the items that can be ranked, shape (n, d)."""
    events: Interactions
    retired: RetiredSignals = field(default_factory=RetiredSignals)
    """Events that today's signal table has no reward for."""


def read_refresh_input(
    snapshot: Snapshot,
    config: Config,
    read: ReadLog | None = None,
    head: CatalogHead | None = None,
) -> RefreshInput:
    """Reads the log, and the text vectors in the space of a head.

    Args:
        snapshot: the store.
        config: the server's settings.
        read: reads a log that is kept elsewhere; None: the store's own.
        head: head of a catalog; None: the served one.

    Raises:
        ConfigError: the store holds no items; or as `read` raises it.
    """
    head = head or read_head(snapshot)
    alive = [stored for stored in scan_items(snapshot) if stored.alive]
    if not alive:
        raise ConfigError("refresh: the store holds no items; put some first")
    rows = {stored.number: row for row, stored in enumerate(alive)}
    texts = text_vectors(snapshot, head, alive)
    if read is None:
        retired = RetiredSignals()
        events = _read_store(snapshot, config, rows, retired)
        return RefreshInput(head, rows, texts, events, retired)
    rows_by_id = {stored.item.id: row for row, stored in enumerate(alive)}
    return RefreshInput(head, rows, texts, read(rows_by_id))


def text_vectors(snapshot: Snapshot, head: CatalogHead, items: list[StoredItem]) -> Matrix:
    """Reads the items' text vectors in the space of a head, shape (items, d); zeros if lost."""
    vectors = np.empty((len(items), head.dimensions), np.float32)
    for row, stored in enumerate(items):
        vectors[row] = text_vector(snapshot, head, stored.item)
    return vectors


def _read_store(
    snapshot: Snapshot, config: Config, rows: dict[int, int], retired: RetiredSignals
) -> Interactions:
    """Reads the outcomes for items that can be ranked; an impression alone is no outcome."""
    places: dict[str, int | None] = {}
    users, items, times = array("q"), array("q"), array("q")
    rewards, weights = array("d"), array("d")
    for number, user in enumerate(scan_user_ids(snapshot)):
        for log_row in read_log(snapshot, user):
            event = log_row.event
            if event.item not in places:
                stored = read_sound_item(snapshot, event.item)
                places[event.item] = None if stored is None else rows.get(stored.number)
            row = places[event.item]
            outcome = retired.resolve(config.signals, event)
            if row is not None and outcome is not None and outcome.wait_s is None:
                users.append(number)
                items.append(row)
                rewards.append(outcome.reward)
                weights.append(outcome.weight)
                times.append(event.occurred_at_us)
    return Interactions(
        user=np.array(users, np.int64),
        item=np.array(items, np.int64),
        reward=np.array(rewards, np.float64),
        at_us=np.array(times, np.int64),
        weight=np.array(weights, np.float64),
    )
