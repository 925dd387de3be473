"""Popularity by segment: what people with the same attributes like, for users with few events.

    s(i | c) = a_0 sum_k S[(k, c_k), i],   a_0 = 2^(-n / h_open)

A segment is one key of the ranking's context with one value: country DE, device phone. S holds how
much more or less often an item is liked there than elsewhere, as the last refresh found it
(`penchant.refresh.segment_popularity`). It fades with the user's n events as the opening does
(`penchant.domain.neighbours`), because by then the user's own events say more. It depends on the
ranking's context and n alone, so that no record holds it and a replay gives the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, SMALL_ROWS, Neighbours, opening_share
from penchant.domain.types import Context, Recent, Rows, Vector


def _no_entries() -> Neighbours:
    return np.zeros((0, 0), NEIGHBOUR_DTYPE)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPopularity:
    """S of this module's equation, for n segments."""

    names: tuple[tuple[str, str], ...] = ()
    """Key and value of each segment."""
    entries: Neighbours = field(default_factory=_no_entries)
    """Items and what the segment adds to their scores; unused ones add 0, shape (n, w)."""
    _rows: Mapping[tuple[str, str], int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = {name: row for row, name in enumerate(self.names)}
        object.__setattr__(self, "_rows", rows)

    def __bool__(self) -> bool:
        """Whether there is any segment."""
        return bool(self.names)

    def same_as(self, other: SegmentPopularity) -> bool:
        """Whether names and entries are equal."""
        return self.names == other.names and np.array_equal(self.entries, other.entries)

    def rows_of(self, context: Context) -> list[int]:
        """The rows of a context's segments; those that are not known are left out.

        >>> SegmentPopularity((("device", "phone"),)).rows_of((("device", "phone"), ("x", "y")))
        [0]
        """
        return [self._rows[entry] for entry in context if entry in self._rows]

    @property
    def names_json(self) -> str:
        """The names as JSON."""
        return json.dumps(self.names, ensure_ascii=False)


def read_segment_popularity(names_json: str, entries: Neighbours) -> SegmentPopularity:
    """Reads what `SegmentPopularity` holds.

    Raises:
        ValueError: the names are not those of the entries.
    """
    names = tuple((str(key), str(value)) for key, value in json.loads(names_json))
    if entries.dtype != NEIGHBOUR_DTYPE or len(entries) != len(names):
        raise ValueError(f"segments: got {len(entries)} rows, expected {len(names)}")
    return SegmentPopularity(names, entries)


class SegmentShares(NamedTuple):
    """What the segments of one ranking add, entry by entry."""

    item: Int64
    """Item numbers, shape (m,)."""
    share: Float64
    """Their parts; those of one item sum to s(i | c), shape (m,)."""


def segment_shares(
    popularity: SegmentPopularity, context: Context, recent: Recent
) -> SegmentShares | None:
    """The equation of this module; None if it is 0 for all items.

    Args:
        popularity: S.
        context: the ranking's.
        recent: of the user's interest; its last entry is the opening's while a_0 is above 0.
    """
    begun = opening_share(recent)
    rows = popularity.rows_of(context) if begun else []
    if not rows:
        return None
    entries = popularity.entries[rows]
    share = entries["strength"].ravel().astype(np.float64) * begun
    return SegmentShares(entries["item"].ravel().astype(np.int64), share)


def segment_all(shares: SegmentShares, rows: int) -> Vector:
    """s(i | c) for the first `rows` items, shape (rows,)."""
    return np.bincount(shares.item, shares.share, rows)[:rows].astype(np.float32)


def segment_some(shares: SegmentShares, wanted: Rows) -> Vector:
    """s(i | c) for some items, shape (n,). Cost: O((n + m) log m) for m entries, or less."""
    if not len(shares.item) or not len(wanted):
        return np.zeros(len(wanted), np.float32)
    most = max(int(shares.item.max()), int(wanted.max()))
    if most < SMALL_ROWS:
        return segment_all(shares, most + 1)[wanted]
    distinct, place = np.unique(shares.item, return_inverse=True)
    sums = np.bincount(place, shares.share)
    found = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    return np.where(distinct[found] == wanted, sums[found], 0.0).astype(np.float32)
