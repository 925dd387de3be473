"""The live offsets: the counters of all items in arrays, and the file that readers map."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from penchant.catalog import files
from penchant.catalog.file_sizes import NO_FILES, FileSizes
from penchant.domain.arrays import Float64
from penchant.domain.offsets import log_odds_against, mean_rate
from penchant.domain.types import Counters, Rows, Vector

log = logging.getLogger("penchant")

WHOLE_EVERY_S = 1.0
"""Seconds between updates of all items' offsets; those of touched items are updated at once."""

FADE = 0.005
"""Half-lives by which the events' clock may advance before all offsets are updated regardless."""


class CountedItems(NamedTuple):
    """The counters of some items, shape (n,) each."""

    numbers: Rows
    """The items' numbers."""
    positives: Float64
    impressions: Float64
    as_of_us: Rows
    """Microseconds since 1970."""


class ItemBiasTable:
    """The counters of items by number, and the offsets b_i computed from them."""

    def __init__(self, half_life_s: float, prior_impressions: float) -> None:
        self.half_life_s = half_life_s
        self._prior_impressions = prior_impressions
        self._positives = np.zeros(files.MIN_CAPACITY)
        self._impressions = np.zeros(files.MIN_CAPACITY)
        self._as_of_us = np.zeros(files.MIN_CAPACITY)
        self._rate = 0.0
        self._latest_us = 0.0
        self._limit_us = math.inf
        self.newest_us = 0
        """Time of the newest event that was ever counted."""

    def limit(self, latest_us: int) -> None:
        """Lets no counter be newer than a moment: one from a wrong clock must not fade the rest."""
        self._limit_us = latest_us

    def mostly_after(self, at_us: int) -> bool:
        """Whether most items that were ever counted were counted later than a moment."""
        counted = self._as_of_us[self._as_of_us > 0]
        return len(counted) > 0 and bool((counted > at_us).mean() > 0.5)

    def set(self, entries: Iterable[tuple[int, Counters]]) -> None:
        """Replaces the counters of items, by number."""
        for number, counters in entries:
            if number >= len(self._positives):
                self._grow(number + 1)
            self._positives[number] = counters.positives
            self._impressions[number] = counters.impressions
            self._as_of_us[number] = counters.as_of_us
            self.newest_us = max(self.newest_us, counters.as_of_us)

    def set_counted(self, counted: CountedItems) -> None:
        """As `set`, all at once."""
        if not len(counted.numbers):
            return
        if counted.numbers.max() >= len(self._positives):
            self._grow(int(counted.numbers.max()) + 1)
        self._positives[counted.numbers] = counted.positives
        self._impressions[counted.numbers] = counted.impressions
        self._as_of_us[counted.numbers] = counted.as_of_us
        self.newest_us = max(self.newest_us, int(counted.as_of_us.max()))

    def look_for_newest(self) -> None:
        """Finds the newest event again, after counters were set that forget some."""
        self.newest_us = int(self._as_of_us.max(initial=0.0))

    def values(self, rows: int) -> Vector:
        """The offsets of the first `rows` items, shape (rows,). Cost: about 1 ms per 100,000."""
        if rows > len(self._positives):
            self._grow(rows)
        self._latest_us = self._newest(self._as_of_us[:rows])
        positives, impressions = self._decayed(np.arange(rows))
        self._rate = mean_rate(positives, impressions, self._prior_impressions)
        return log_odds_against(self._rate, positives, impressions, self._prior_impressions)

    def positives(self, rows: int) -> tuple[Float64, int]:
        """p_i of the first `rows` items, shape (rows,), and the time to which they are decayed."""
        if rows > len(self._positives):
            self._grow(rows)
        self._latest_us = self._newest(self._as_of_us[:rows])
        return self._decayed(np.arange(rows))[0], int(self._latest_us)

    def values_of(self, numbers: Rows) -> Vector:
        """The offsets of a few items, relative to the average of the last `values`, shape (n,)."""
        positives, impressions = self._decayed(numbers)
        return log_odds_against(self._rate, positives, impressions, self._prior_impressions)

    def outruns(self, numbers: Rows) -> bool:
        """Whether these items' events are so recent that all other counters have faded by now."""
        newest_us = self._newest(self._as_of_us[numbers])
        return newest_us - self._latest_us > FADE * self.half_life_s * 1e6

    def _newest(self, as_of_us: Float64) -> float:
        return min(self._limit_us, float(as_of_us.max(initial=0.0)))

    def _decayed(self, numbers: Rows) -> tuple[Float64, Float64]:
        # Counters newer than the average are not decayed: a negative age would make them grow.
        age_us = np.maximum(0.0, self._latest_us - self._as_of_us[numbers])
        left: Float64 = np.exp2(-age_us / (self.half_life_s * 1e6))
        return self._positives[numbers] * left, self._impressions[numbers] * left

    def _grow(self, rows: int) -> None:
        longer = files.capacity_for(rows) - len(self._positives)
        self._positives = np.pad(self._positives, (0, longer))
        self._impressions = np.pad(self._impressions, (0, longer))
        self._as_of_us = np.pad(self._as_of_us, (0, longer))


class ItemBiasFile:
    """The mapped offsets of the current generation, for a process that writes them.

    One process owns the file and writes all of it; others write the few offsets that they change.
    """

    def __init__(self, directory: Path, item_biases: ItemBiasTable) -> None:
        self._directory = directory
        self._item_biases = item_biases
        self._generation = 0
        self._whole_at_s = -math.inf
        self._mapped: Vector = np.empty(0, np.float32)
        self._sizes = NO_FILES

    def publish(self, generation: int, rows: int, touched: Rows | None = None) -> None:
        """Writes offsets, which readers see at once.

        Args:
            generation: of the catalog's head; a new one is mapped and written whole.
            rows: of the catalog's head.
            touched: rows to write now; the others follow within WHOLE_EVERY_S. None: all now.

        A file that can't be mapped is said in the log, and tried again at the next call: the
        counters in the store hold everything.
        """
        if generation == 0 or not self._holds(generation, rows):
            return
        now_s = time.monotonic()
        due = now_s - self._whole_at_s >= WHOLE_EVERY_S
        if touched is None or due or self._item_biases.outruns(touched):
            self._mapped[:rows] = self._item_biases.values(rows)
            self._whole_at_s = now_s
        else:
            self._mapped[touched] = self._item_biases.values_of(touched)

    def publish_some(self, generation: int, rows: int, numbers: Rows) -> None:
        """Writes the offsets of some items, and leaves the others to the process that owns them."""
        if generation == 0 or not self._holds(generation, rows):
            return
        self._mapped[numbers] = self._item_biases.values(rows)[numbers]

    def _holds(self, generation: int, rows: int) -> bool:
        """Maps a generation's file, unless it is mapped; False if it can't be, as the log says."""
        if generation == self._generation:
            return self._sizes.truncated() is None  # Readers have it mended.
        try:
            sizes = FileSizes([files.offsets_path(self._directory, generation)])
            self._mapped = files.map_offsets(self._directory, generation, "r+", rows)
        except (OSError, files.DamagedFile) as error:
            log.warning("catalog: the live offsets can't be written: %s", error)
            return False
        self._generation, self._sizes = generation, sizes
        self._whole_at_s = -math.inf  # All of a new file is due.
        return True
