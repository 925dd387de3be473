"""Item ids to row numbers: one id at a time, or all ids of a request at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from penchant.domain.arrays import Int64
from penchant.domain.types import Rows

NONE = -1
"""Stands for a missing number in an array."""

_FEW = 4096
"""Below this many ids, a dictionary fits in the processor's caches."""
_FRESH_SHARE = 0.1
"""Share of changed ids at which the table is rebuilt."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The ids of one moment by their hashes, and the changes since."""

    hashes: Int64
    """Sorted, shape (n,)."""
    numbers: Rows
    """Shape (n,)."""
    fresh: dict[str, int] = field(default_factory=dict)
    """Numbers of ids that were added or removed since; NONE for a removed one."""


class ItemNumbers(Mapping[str, int]):
    """Ids of rankable items and their numbers. One thread may write while others read.

    Looking up a hundred ids of a large catalog in a dictionary misses the cache several hundred
    times. `find` therefore looks ids up by their 64-bit hashes, which Python seeds at random in
    each process: an unknown id has the hash of one of a million items with probability 10^-13.
    The table of hashes is made by the first `find` that needs it: where the compiled module finds
    the ids of requests, hardly any does.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._table: _Table | None = None
        self._table_wanted = False
        """Whether the next `find` makes the table."""
        self._changing = threading.Lock()

    def __reduce__(self) -> tuple[Callable[[dict[str, int]], ItemNumbers], tuple[dict[str, int]]]:
        """The ids alone: their hashes are another process's own."""
        return _restored, (self._numbers,)

    def __getitem__(self, id_: str) -> int:
        return self._numbers[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def find(self, ids: Sequence[str]) -> Rows:
        """The number of each id, shape (n,); NONE for an unknown id.

        >>> numbers = ItemNumbers()
        >>> numbers.add("b", 1)
        >>> numbers.find(["a", "b"]).tolist()
        [-1, 1]
        """
        if self._table_wanted:
            self._make_table()
        table = self._table
        if table is None:
            get = self._numbers.get
            return np.fromiter((get(id_, NONE) for id_ in ids), np.int64, len(ids))
        hashes = np.fromiter(map(hash, ids), np.int64, len(ids))
        places = table.hashes.searchsorted(hashes)
        found = table.numbers.take(places, mode="clip")
        known = table.hashes.take(places, mode="clip") == hashes
        if not known.all():
            found[~known] = NONE
        if table.fresh:
            for place, id_ in enumerate(ids):
                found[place] = table.fresh.get(id_, found[place])
        return found

    def add(self, id_: str, number: int) -> None:
        """Adds an id."""
        with self._changing:
            self._numbers[id_] = number
            if self._table is not None:
                self._table.fresh[id_] = number

    def remove(self, id_: str) -> None:
        """Removes an id, if it is there."""
        with self._changing:
            self._numbers.pop(id_, None)
            if self._table is not None:
                self._table.fresh[id_] = NONE

    def settle(self) -> None:
        """Keeps `find` fast after changes: the next one takes O(n log n), once per n / 10."""
        count = len(self._numbers)
        fresh = count if self._table is None else len(self._table.fresh)
        if count >= _FEW and fresh >= _FRESH_SHARE * count:
            self._table_wanted = True

    def _make_table(self) -> None:
        with self._changing:
            if not self._table_wanted:
                return  # Another thread was faster.
            count = len(self._numbers)
            hashes = np.fromiter(map(hash, self._numbers), np.int64, count)
            order = np.argsort(hashes)
            hashes = hashes[order]
            distinct = bool((hashes[1:] != hashes[:-1]).all())
            numbers = np.fromiter(self._numbers.values(), np.int64, count)[order]
            self._table = _Table(hashes, numbers) if distinct else None
            self._table_wanted = False


def _restored(numbers: dict[str, int]) -> ItemNumbers:
    held = ItemNumbers()
    held._numbers.update(numbers)
    held.settle()
    return held
