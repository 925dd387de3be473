"""Reads the input of a refresh from a store: text vectors, and the events about their items."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.types import CatalogHead, Matrix, StoredItem
from penchant.logs.interactions import Interactions, ReadLog
from penchant.refresh.remembered_log import RememberedLog
from penchant.service.catalog_writer import text_vector
from penchant.store.accepted_events import read_accepted
from penchant.store.base import Snapshot
from penchant.store.items import read_head, scan_items


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
    accepted: int = 0
    """Events that had ever been accepted."""


def read_refresh_input(
    snapshot: Snapshot,
    config: Config,
    read: ReadLog | None = None,
    head: CatalogHead | None = None,
    remembered: RememberedLog | None = None,
) -> RefreshInput:
    """Reads the log, and the text vectors in the space of a head.

    Args:
        snapshot: the store.
        config: the server's settings.
        read: reads a log that is kept elsewhere; None: the store's own.
        head: head of a catalog; None: the served one.
        remembered: what an earlier call read of the store's own log, and what this one reads.

    Raises:
        ConfigError: the store holds no items; or as `read` raises it.
    """
    head = head or read_head(snapshot)
    alive = [stored for stored in scan_items(snapshot) if stored.alive]
    if not alive:
        raise ConfigError("refresh: the store holds no items; put some first")
    rows = {stored.number: row for row, stored in enumerate(alive)}
    texts = text_vectors(snapshot, head, alive)
    accepted = read_accepted(snapshot)
    if read is None:
        retired = RetiredSignals()
        log = remembered or RememberedLog()
        events = log.read(snapshot, config.signals, rows, retired)
        return RefreshInput(head, rows, texts, events, retired, accepted)
    rows_by_id = {stored.item.id: row for row, stored in enumerate(alive)}
    return RefreshInput(head, rows, texts, read(rows_by_id), accepted=accepted)


def text_vectors(snapshot: Snapshot, head: CatalogHead, items: list[StoredItem]) -> Matrix:
    """Reads the items' text vectors in the space of a head, shape (items, d); zeros if lost."""
    vectors = np.empty((len(items), head.dimensions), np.float32)
    for row, stored in enumerate(items):
        vectors[row] = text_vector(snapshot, head, stored.item)
    return vectors
