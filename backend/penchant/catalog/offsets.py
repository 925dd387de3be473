"""The live offsets: counters of all items in arrays, and the file that readers map."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from penchant.catalog import files
from penchant.domain.arrays import Float64
from penchant.domain.offsets import log_odds_against, mean_rate
from penchant.domain.types import Counters, Rows, Vector

WHOLE_EVERY_S = 1.0
"""How often the offsets of all items follow the average; those of touched items do at once."""

FADE = 0.005
"""Half-lives that the events' clock may move before all offsets follow, however soon that is."""


class ItemBiasTable:
    """Counters by item number, and the offsets that they give."""

    def __init__(self, half_life_s: float, prior_impressions: float) -> None:
        self.half_life_s = half_life_s
        self._prior_impressions = prior_impressions
        self._positives = np.zeros(files.MIN_CAPACITY)
        self._impressions = np.zeros(files.MIN_CAPACITY)
        self._as_of_us = np.zeros(files.MIN_CAPACITY)
        self._rate = 0.0
        self._latest_us = 0.0

    def set(self, entries: Iterable[tuple[int, Counters]]) -> None:
        """Replaces the counters of items, by number."""
        for number, counters in entries:
            if number >= len(self._positives):
                self._grow(number + 1)
            self._positives[number] = counters.positives
            self._impressions[number] = counters.impressions
            self._as_of_us[number] = counters.as_of_us

    def values(self, rows: int) -> Vector:
        """The offsets of the first `rows` items, shape (rows,). Cost: about 1 ms per 100,000."""
        if rows > len(self._positives):
            self._grow(rows)
        self._latest_us = float(self._as_of_us[:rows].max(initial=0.0))
        positives, impressions = self._decayed(np.arange(rows))
        self._rate = mean_rate(positives, impressions, self._prior_impressions)
        return log_odds_against(self._rate, positives, impressions, self._prior_impressions)

    def positives(self, rows: int) -> tuple[Float64, int]:
        """p_i of the first `rows` items, shape (rows,), and the moment they are decayed to."""
        if rows > len(self._positives):
            self._grow(rows)
        self._latest_us = float(self._as_of_us[:rows].max(initial=0.0))
        return self._decayed(np.arange(rows))[0], int(self._latest_us)

    def values_of(self, numbers: Rows) -> Vector:
        """The offsets of a few items, against the average that `values` found last, shape (n,)."""
        positives, impressions = self._decayed(numbers)
        return log_odds_against(self._rate, positives, impressions, self._prior_impressions)

    def outruns(self, numbers: Rows) -> bool:
        """Whether these items' events are so much later that all others have faded since."""
        newest_us = float(self._as_of_us[numbers].max(initial=0.0))
        return newest_us - self._latest_us > FADE * self.half_life_s * 1e6

    def _decayed(self, numbers: Rows) -> tuple[Float64, Float64]:
        # Counters newer than the average are taken as of its time: nothing grows by decaying.
        age_us = np.maximum(0.0, self._latest_us - self._as_of_us[numbers])
        left: Float64 = np.exp2(-age_us / (self.half_life_s * 1e6))
        return self._positives[numbers] * left, self._impressions[numbers] * left

    def _grow(self, rows: int) -> None:
        longer = files.capacity_for(rows) - len(self._positives)
        self._positives = np.pad(self._positives, (0, longer))
        self._impressions = np.pad(self._impressions, (0, longer))
        self._as_of_us = np.pad(self._as_of_us, (0, longer))


class OffsetFile:
    """The mapped offsets of the current generation, for the one process that writes them."""

    def __init__(self, directory: Path, book: ItemBiasTable) -> None:
        self._directory = directory
        self._book = book
        self._generation = 0
        self._whole_at_s = -math.inf
        self._mapped: Vector = np.empty(0, np.float32)

    def publish(self, generation: int, rows: int, touched: Rows | None = None) -> None:
        """Writes offsets where readers see them at once.

        Args:
            generation: of the catalog's head; a new one is mapped and written whole.
            rows: of the catalog's head.
            touched: rows to write; the others follow at most WHOLE_EVERY_S later. None: all now.

        Raises:
            FileNotFoundError: the generation's file is gone.
        """
        if generation == 0:
            return
        if generation != self._generation:
            self._mapped = files.map_offsets(self._directory, generation, "r+")
            self._generation = generation
            touched = None
        now_s = time.monotonic()
        due = now_s - self._whole_at_s >= WHOLE_EVERY_S
        if touched is None or due or self._book.outruns(touched):
            self._mapped[:rows] = self._book.values(rows)
            self._whole_at_s = now_s
        else:
            self._mapped[touched] = self._book.values_of(touched)
