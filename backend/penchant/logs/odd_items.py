"""Notices items that a file holds twice: under one id, or under ids that are written alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penchant.domain.types import Item
from penchant.logs.row_batch import RowBatch

MOST_COMPARED = 1 << 20
"""Items that are compared; some 100 bytes of memory each."""


class OddItems:
    """Repeated ids, over the items that were added.

    >>> odd = OddItems()
    >>> items = [Item("a", "a tent"), Item("b", "a rope"), Item("a", "a tent")]
    >>> odd.add(RowBatch.of_rows([{"id": item.id} for item in items]), items)
    >>> odd.warnings[0].partition(": ")[2]
    "the first is 'a', in line 1 and line 3"
    """

    def __init__(self) -> None:
        self._ids: list[pa.Array] = []
        self._places: list[NDArray[np.int64]] = []
        self._hashes: list[NDArray[np.int64]] = []
        self._of_text = False
        self._compared = 0

    def add(self, batch: RowBatch, items: Sequence[Item | None]) -> None:
        """Adds the items of a batch, by row; None for a refused row."""
        kept = [position for position, item in enumerate(items) if item is not None]
        if not kept or self._compared >= MOST_COMPARED:
            return
        self._of_text = batch.line is not None
        self._compared += len(kept)
        places = batch.number if batch.line is None else batch.line
        self._places.append(np.asarray(places)[kept])
        found = [item for item in items if item is not None]
        self._ids.append(pa.array([item.id for item in found]))
        rows = [(hash(item.id), hash(_folded(item.id)), _content(item)) for item in found]
        self._hashes.append(np.array(rows, np.int64))

    @property
    def warnings(self) -> list[str]:
        """What a person should look at, a sentence each."""
        if not self._compared:
            return []
        places, hashes = np.concatenate(self._places), np.concatenate(self._hashes)
        ids = pa.chunked_array(self._ids)
        return [*self._repeated(ids, places, hashes), *self._alike(ids, places, hashes)]

    def _repeated(
        self, ids: pa.ChunkedArray, places: NDArray[np.int64], hashes: NDArray[np.int64]
    ) -> list[str]:
        """A warning where an id stands in several rows."""
        order = np.argsort(hashes[:, 0], kind="stable")
        one, content = hashes[order, 0], hashes[order, 2]
        again = np.flatnonzero(one[1:] == one[:-1])
        if not len(again):
            return []
        count = len(np.unique(one[again]))
        differ = len(np.unique(one[again[content[again] != content[again + 1]]]))
        first = again[np.argmin(order[again + 1])]
        rows = order[[first, first + 1]]
        what = "1 id stands" if count == 1 else f"{count:,} ids stand"
        whose = "its" if count == 1 else "each one's"
        return [
            f"{what} in more than one row ({differ:,} of them with different contents), and "
            f"{whose} last row counts: the first is {ids[int(rows[0])].as_py()!r}, in "
            f"{self._line(places[rows[0]])} and {self._line(places[rows[1]])}"
        ]

    def _alike(
        self, ids: pa.ChunkedArray, places: NDArray[np.int64], hashes: NDArray[np.int64]
    ) -> list[str]:
        """A warning where rows of one content have ids that differ in how they are written."""
        order = np.lexsort((hashes[:, 0], hashes[:, 2], hashes[:, 1]))
        exact, folded, content = hashes[order].T
        same = (folded[1:] == folded[:-1]) & (content[1:] == content[:-1])
        alike = np.flatnonzero(same & (exact[1:] != exact[:-1]))
        if not len(alike):
            return []
        first = alike[np.argmin(np.maximum(order[alike], order[alike + 1]))]
        one, other = sorted(order[[first, first + 1]].tolist())
        what = "1 pair of items has" if len(alike) == 1 else f"{len(alike):,} pairs of items have"
        return [
            f"{what} one content, and ids that differ in upper and lower case, blanks or forms of "
            f"characters alone; both count: the first are {ids[one].as_py()!r} in "
            f"{self._line(places[one])} and {ids[other].as_py()!r} in {self._line(places[other])}"
        ]

    def _line(self, place: np.int64) -> str:
        return f"{'line' if self._of_text else 'row'} {int(place):,}"


def _folded(id_: str) -> str:
    """An id without what people write now this way, now that way."""
    return "".join(unicodedata.normalize("NFKC", id_).casefold().split())


def _content(item: Item) -> int:
    """A hash of all but the id, which stands in for the text of an item without one."""
    text = "" if item.text == item.id else item.text
    return hash((text, tuple(sorted(item.attributes.items()))))
