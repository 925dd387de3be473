"""Neighbours: items that users turn to after others, as a sparse part of the score.

    near(i) = sum_t a_t N[i_t, i] + a_0 N[opening, i]
    a_t ~ liked_t 2^(-(n - t) / h_near),   sum_t a_t = 1,   a_0 = 2^(-n / h_open)

over the last `RECENT_EVENTS` of the user's n events that count. a_0 is 0 from `OPENING_HALVINGS`
half-lives on. N[j, i] says how much more often i
was liked after j than its share of all likes explains; the opening row says how much more often
users began with i. A vector of a few dozen numbers cannot tell which few items are close to one
item; N can. The refresh computes N from the event log (`penchant.refresh.neighbour_table`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import RECENT_DTYPE, Recent, Rows, Vector

NEIGHBOURS = 200
"""Neighbours per item, at most."""

RECENT_EVENTS = 32
"""The latest events of a user whose neighbours count, at most."""

SMALL_ROWS = 16_384
"""Up to this many rows, summing over all items is faster than looking some of them up."""

OPENING_HALVINGS = 6.0
"""Half-lives of the opening after which it no longer counts."""

OPENING = np.uint32(2**32 - 1)
"""Stands in place of an item for the beginning of a user's history."""

NEIGHBOUR_DTYPE = np.dtype([("item", "<u4"), ("strength", "<f4")])

Neighbours = NDArray[np.void]
"""N, dtype NEIGHBOUR_DTYPE, shape (1 + items, at most `NEIGHBOURS`).

Row 0 belongs to the opening, row 1 + j to item j. Unused entries have strength 0.
"""


def no_neighbours() -> Neighbours:
    """An empty N."""
    return np.zeros((0, 0), NEIGHBOUR_DTYPE)


def opening_weight(counted: float, half_life_events: float) -> float:
    """a_0 of this module's equation after `counted` events.

    >>> opening_weight(3, 3.0), opening_weight(18, 3.0)
    (0.5, 0.0)
    """
    halvings = counted / half_life_events
    return 2.0**-halvings if halvings < OPENING_HALVINGS else 0.0


def recent_of(
    items: NDArray[np.uint32], weights: NDArray[np.float64], counted: float, opening: float
) -> Recent:
    """The non-zero a of this module's equation; that of the opening comes last.

    Args:
        items: item numbers of a user's events, in order, shape (m,).
        weights: liked_t 2^(-(n - t) / h_near), and 0 for all but the latest events, shape (m,).
        counted: n, the number of events that count.
        opening: h_open.

    >>> recent = recent_of(np.array([7, 8], np.uint32), np.array([0.5, 0.5]), 2, 1.0)
    >>> recent.tolist()
    [(7, 0.5), (8, 0.5), (4294967295, 0.25)]
    >>> recent_of(np.empty(0, np.uint32), np.empty(0), 0, 3.0)["weight"].tolist()
    [1.0]
    """
    liked = np.flatnonzero(weights)
    begun = opening_weight(counted, opening)
    recent = np.empty(len(liked) + (begun > 0), RECENT_DTYPE)
    # The sum is 0 only if a half-life of hundredths of an event leaves nothing.
    total = float(weights.sum()) or 1.0
    recent["item"][: len(liked)] = items[liked]
    recent["weight"][: len(liked)] = weights[liked] / total
    if begun:
        recent[-1] = (OPENING, begun)
    return recent


def opening_share(recent: Recent) -> float:
    """a_0 of this module's equation, which `recent_of` put last; 0 if it no longer counts.

    >>> opening_share(recent_of(np.empty(0, np.uint32), np.empty(0), 3, 3.0))
    0.5
    """
    begun = len(recent) > 0 and recent["item"][-1] == OPENING
    return float(recent["weight"][-1]) if begun else 0.0


def near_all(neighbours: Neighbours, recent: Recent, rows: int) -> Vector:
    """near(i) for the first `rows` items, shape (rows,). Cost: O(rows + neighbours)."""
    items, strengths = _entries(neighbours, recent)
    return np.bincount(items, strengths, rows)[:rows].astype(np.float32)


def near_some(neighbours: Neighbours, recent: Recent, wanted: Rows) -> Vector:
    """near(i) for some items, shape (n,). Cost: O((n + neighbours) log n), or less."""
    if len(neighbours) <= SMALL_ROWS:
        rows = max(len(neighbours), int(wanted.max(initial=0)) + 1)
        return near_all(neighbours, recent, rows)[wanted]
    near = np.zeros(len(wanted), np.float32)
    items, strengths = _entries(neighbours, recent)
    if len(wanted) == 0 or len(items) == 0:
        return near
    distinct, places = np.unique(wanted, return_inverse=True)
    found = np.minimum(np.searchsorted(distinct, items), len(distinct) - 1)
    hits = distinct[found] == items
    sums = np.bincount(found[hits], strengths[hits], len(distinct))
    near[:] = sums[places]
    return near


def near_shares(neighbours: Neighbours, recent: Recent, wanted: Rows) -> NDArray[np.float64]:
    """The part of each recent event in near(i), shape (n, len(recent))."""
    parts = [
        near_some(neighbours, recent[place : place + 1], wanted) for place in range(len(recent))
    ]
    return np.array(parts, np.float64).reshape(len(recent), len(wanted)).T


def _entries(
    neighbours: Neighbours, recent: Recent
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Item numbers of all neighbours of the recent events, and their parts, shape (m,) each."""
    places = (recent["item"] + np.uint32(1)).astype(np.int64)  # The opening wraps around to 0.
    held = places < len(neighbours)  # Newer items have no neighbours yet.
    # As whole numbers of 8 bytes: NumPy gathers records several times more slowly.
    rows = neighbours.view(np.uint64).take(places[held], axis=0).view(NEIGHBOUR_DTYPE)
    strengths = rows["strength"] * recent["weight"][held][:, None]
    return rows["item"].ravel().astype(np.int64), strengths.ravel().astype(np.float64)
