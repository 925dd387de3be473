"""Shows rankings at once what another process than the writer of feedback did to counters."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Collection

import numpy as np

from penchant.catalog.item_biases import ItemBiasFile, ItemBiasTable
from penchant.domain.errors import StoreUnavailable
from penchant.domain.limits import AHEAD_US
from penchant.service.user_interest import Catalogs
from penchant.store.base import Store
from penchant.store.counters import read_counters, scan_counters

log = logging.getLogger("penchant")

REREAD_EVERY_S = 10.0
"""Seconds for which the average over all items may be old; it needs every item's counters."""


class LiveOffsets:
    """Publishes the offsets of a few items whose counters have just been committed.

    The writer of feedback reads the same counters at its next batch, by
    `penchant.store.counters.add_recounted`. Until then it may write an older offset once.
    """

    def __init__(self, store: Store, catalogs: Catalogs, item_biases: ItemBiasTable) -> None:
        self._store = store
        self._catalogs = catalogs
        self._item_biases = item_biases
        self._file = ItemBiasFile(catalogs.directory, item_biases)
        self._read_at_s = -math.inf

    def publish(self, numbers: Collection[int], now_us: int) -> None:
        """Writes the offsets of some items as of now, in microseconds since 1970.

        Where the files are missing, that waits for feedback.

        Cost: a read of the counters of all items at most every REREAD_EVERY_S.
        """
        self._item_biases.limit(now_us + AHEAD_US)
        try:
            with self._store.snapshot() as snapshot:
                view = self._catalogs.read(snapshot).served
                head = view.head
                now_s = time.monotonic()
                if now_s - self._read_at_s >= REREAD_EVERY_S:
                    self._item_biases.set(scan_counters(snapshot))
                    self._read_at_s = now_s
                else:
                    self._item_biases.set((one, read_counters(snapshot, one)) for one in numbers)
            self._item_biases.follow_version(head.version, view.frozen.recent)
            inside = np.array(sorted(one for one in numbers if one < head.rows), np.int64)
            self._file.publish_some(head.generation, head.rows, inside)
        except (StoreUnavailable, FileNotFoundError) as error:
            log.warning("offsets: %s; they follow with the next feedback", error)
