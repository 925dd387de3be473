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
from penchant.domain.recent_counts import RecentCounts, faded, gained
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
    """The counters of items by number, and the offsets b_i computed from them.

    Once it follows `RecentCounts`, offsets are made of what the counters gained lately; where items
    have impressions, of the counters as they are, since those hold rates.
    """

    def __init__(self, half_life_s: float, prior_impressions: float) -> None:
        self.half_life_s = half_life_s
        self._prior_impressions = prior_impressions
        self._positives = np.zeros(files.MIN_CAPACITY)
        self._impressions = np.zeros(files.MIN_CAPACITY)
        self._as_of_us = np.zeros(files.MIN_CAPACITY)
        self._followed = 0
        """Version of the catalog whose recent sums are followed; 0: none."""
        self._recent_half_life_s = 0.0
        """Half-life of the recent sums; 0: there are none."""
        self._recent = np.zeros(files.MIN_CAPACITY)
        self._recent_as_of_us = np.zeros(files.MIN_CAPACITY)
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

    def follow_version(self, version: int, recent: RecentCounts) -> bool:
        """As `follow`, for each version of a catalog once; returns whether this one is new."""
        if version == self._followed:
            return False
        self.follow(recent)
        self._followed = version
        return True

    def follow(self, recent: RecentCounts) -> None:
        """Makes the offsets of recent sums from now on, or of the counters as they are.

        What the counters have gained since those sums were made counts as of their newest event.

        Args:
            recent: of a refresh, by number; empty: the counters' own half-life.
        """
        self._recent_half_life_s = recent.half_life_s
        if not recent:
            return
        if len(recent.recent) > len(self._positives):
            self._grow(len(recent.recent))
        room = (0, len(self._positives) - len(recent.recent))
        counted, sums = (
            np.pad(values, room).astype(np.float64) for values in (recent.counted, recent.recent)
        )
        newer = self._as_of_us >= recent.as_of_us
        self._recent, self._recent_as_of_us = sums, np.full(len(sums), float(recent.as_of_us))
        numbers = np.flatnonzero(newer)
        before = np.full(len(numbers), float(recent.as_of_us))
        self._gain(numbers, counted[numbers], before, self._positives[numbers])

    def _gain(self, numbers: Rows, before: Float64, before_us: Float64, after: Float64) -> None:
        """Adds to the recent sums of items what their counters gained up to their newest events.

        Args:
            numbers: of the items, shape (n,).
            before: their positives before the change, shape (n,).
            before_us: the time of these, shape (n,).
            after: their positives now, shape (n,).
        """
        now_us = self._as_of_us[numbers]
        more = gained(before, after, now_us - before_us, self.half_life_s)
        left = faded(now_us - self._recent_as_of_us[numbers], self._recent_half_life_s)
        self._recent[numbers] = self._recent[numbers] * left + more
        self._recent_as_of_us[numbers] = np.maximum(now_us, self._recent_as_of_us[numbers])

    def set(self, entries: Iterable[tuple[int, Counters]]) -> None:
        """Replaces the counters of items, by number."""
        for number, counters in entries:
            if number >= len(self._positives):
                self._grow(number + 1)
            before, before_us = self._positives[number], self._as_of_us[number]
            self._positives[number] = counters.positives
            self._impressions[number] = counters.impressions
            self._as_of_us[number] = counters.as_of_us
            self.newest_us = max(self.newest_us, counters.as_of_us)
            if self._recent_half_life_s:
                one = np.array([number])
                self._gain(one, np.array([before]), np.array([before_us]), self._positives[one])

    def set_counted(self, counted: CountedItems) -> None:
        """As `set`, all at once; each item comes once."""
        if not len(counted.numbers):
            return
        if counted.numbers.max() >= len(self._positives):
            self._grow(int(counted.numbers.max()) + 1)
        before, before_us = self._positives[counted.numbers], self._as_of_us[counted.numbers]
        self._positives[counted.numbers] = counted.positives
        self._impressions[counted.numbers] = counted.impressions
        self._as_of_us[counted.numbers] = counted.as_of_us
        self.newest_us = max(self.newest_us, int(counted.as_of_us.max()))
        if self._recent_half_life_s:
            self._gain(counted.numbers, before, before_us, counted.positives)

    def look_for_newest(self) -> None:
        """Finds the newest event again, after counters were set that forget some."""
        self.newest_us = int(self._as_of_us.max(initial=0.0))

    def values(self, rows: int) -> Vector:
        """The offsets of the first `rows` items, shape (rows,). Cost: about 1 ms per 100,000."""
        if rows > len(self._positives):
            self._grow(rows)
        self._latest_us = self._newest(self._as_of_us[:rows])
        positives, impressions = self._offset_sums(np.arange(rows))
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
        positives, impressions = self._offset_sums(numbers)
        return log_odds_against(self._rate, positives, impressions, self._prior_impressions)

    def outruns(self, numbers: Rows) -> bool:
        """Whether these items' events are so recent that all other counters have faded by now."""
        newest_us = self._newest(self._as_of_us[numbers])
        half_life_s = self._recent_half_life_s or self.half_life_s
        return newest_us - self._latest_us > FADE * half_life_s * 1e6

    def _newest(self, as_of_us: Float64) -> float:
        return min(self._limit_us, float(as_of_us.max(initial=0.0)))

    def _offset_sums(self, numbers: Rows) -> tuple[Float64, Float64]:
        """What the offsets of items are made of: positives and impressions, shape (n,) each."""
        positives, impressions = self._decayed(numbers)
        if not self._recent_half_life_s or self._impressions.any():
            return positives, impressions
        age_us = self._latest_us - self._recent_as_of_us[numbers]
        return self._recent[numbers] * faded(age_us, self._recent_half_life_s), impressions

    def _decayed(self, numbers: Rows) -> tuple[Float64, Float64]:
        # Counters newer than the average are not decayed: a negative age would make them grow.
        left = faded(self._latest_us - self._as_of_us[numbers], self.half_life_s)
        return self._positives[numbers] * left, self._impressions[numbers] * left

    def _grow(self, rows: int) -> None:
        longer = files.capacity_for(rows) - len(self._positives)
        self._positives = np.pad(self._positives, (0, longer))
        self._impressions = np.pad(self._impressions, (0, longer))
        self._as_of_us = np.pad(self._as_of_us, (0, longer))
        self._recent = np.pad(self._recent, (0, longer))
        self._recent_as_of_us = np.pad(self._recent_as_of_us, (0, longer))


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
