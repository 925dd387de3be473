"""Notices what is possible in a log, and seldom meant: rows twice, and ratings from 0 to 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Mask
from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.columns import RATING
from penchant.logs.event_log import EventLog

MOST_COMPARED = 1 << 22
"""Events whose rows are compared; 8 bytes of memory each."""

FEW = 20
"""Events from which a share of them says something."""

_REPEATED_SHARE = 0.05
_MIXED = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)


class OddEvents:
    """Repeated rows and the span of the ratings, over the events that were added.

    >>> import dataclasses
    >>> from penchant.domain.types import Event
    >>> odd = OddEvents()
    >>> log = EventLog.of([Event("", "ann", "tent", "rating", 0.9, 5)] * 30)
    >>> log = dataclasses.replace(log, event_id=None)
    >>> odd.add(log, np.ones(30, np.bool_))
    >>> [warning[:26] for warning in odd.warnings]
    ['29 of 30 rows repeat an ea', 'all 30 ratings are between']
    """

    def __init__(self) -> None:
        self._keys: list[NDArray[np.uint64]] = []
        self._compared = self._rated = 0
        self._lowest, self._highest = np.inf, -np.inf

    def add(self, log: EventLog, kept: Mask) -> None:
        """Adds the events of a batch that are kept; shape (n,)."""
        if log.event_id is None and self._compared < MOST_COMPARED:
            keys = _keys(log)[kept]
            self._keys.append(keys)
            self._compared += len(keys)
        rated = kept & log.signal.where(RATING.__eq__) & ~np.isnan(log.value)
        if rated.any():
            values = log.value[rated]
            self._rated += len(values)
            self._lowest = min(self._lowest, float(values.min()))
            self._highest = max(self._highest, float(values.max()))

    @property
    def warnings(self) -> list[str]:
        """What a person should look at, a sentence each."""
        return [*self.repeats, *([self.scale] if self.scale else [])]

    @property
    def repeats(self) -> list[str]:
        """A warning where many rows repeat an earlier one."""
        keys = np.concatenate([np.empty(0, np.uint64), *self._keys])
        keys.sort()
        repeated = int(np.count_nonzero(keys[1:] == keys[:-1]))
        if len(keys) >= FEW and repeated > len(keys) * _REPEATED_SHARE:
            return [
                f"{repeated:,} of {len(keys):,} rows repeat an earlier row, and count as events of "
                "their own: is the file twice in itself? A column of ids, --event-id-column, tells "
                "events from copies"
            ]
        return []

    @property
    def scale(self) -> str:
        """A warning where all ratings are from 0 to 1; empty where they are not."""
        if self._rated >= FEW and self._lowest >= 0 and self._highest <= 1:
            return (
                f"all {self._rated:,} ratings are between {self._lowest:g} and {self._highest:g}: "
                "is that the scale of the signal table? By default, ratings go from 0 to 5, and "
                "one below 2 is a dislike"
            )
        return ""


def _keys(log: EventLog) -> NDArray[np.uint64]:
    """Returns a hash of each row, shape (n,)."""
    values = np.nan_to_num(log.value, nan=-1.0).view(np.uint64)
    parts = [_hashes(log.user), _hashes(log.item), _hashes(log.signal), values]
    keys = log.at_us.view(np.uint64).copy()
    for part, odd in zip(parts, _MIXED, strict=True):
        keys = (keys ^ part) * np.uint64(odd)
        keys ^= keys >> np.uint64(29)
    return keys


def _hashes(texts: CodedTexts) -> NDArray[np.uint64]:
    of_distinct = np.fromiter(map(hash, texts.distinct), np.int64, len(texts.distinct))
    return of_distinct.view(np.uint64)[texts.code]
