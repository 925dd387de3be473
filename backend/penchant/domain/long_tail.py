"""The long tail: items with few events, whose place the score finds by weights of its own.

    c_i = c + f c_tail g_i,   p_i = popularity_i + f l g_i,   g_i = 1 / (1 + (n_i / k)^4)

f = 1 - a_0 rises with the user's own events (`penchant.domain.neighbours`), since nothing tells
which of a thousand rare items would suit a stranger. n_i is the number of events about an item as
of the last refresh, so that g_i is 1 without any and 0.04 after ten; an item that was put since has
g_i = 1. Among such items one recent like says more than its log-odds against all items do (c_tail),
and what their texts and neighbours say is not outweighed by the popularity that they had no time to
win (l). Both are learnt by a refresh (`penchant.refresh.tail_search`), and 0 before.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Int64
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Vector

FEW = 5
"""Events from which an item no longer counts as one with few."""

HALF_AT = 4.5
"""k: events at which g_i is a half."""


TAIL_SETTINGS = ("tail_offset_weight", "tail_lift")
"""c_tail and l of this module's equation."""


def tail_share(events: Int64) -> Vector:
    """g_i of the equation of this module from each item's number of events, shape (n,).

    >>> tail_share(np.array([0, 2, 4, 10])).round(2).tolist()
    [1.0, 0.9599999785423279, 0.6200000047683716, 0.03999999910593033]
    """
    share: Vector = (1 / (1 + (events / HALF_AT) ** 4)).astype(np.float32)
    return share


def whole_tail(tail: Vector, rows: int) -> Vector:
    """g_i of `rows` items: those of the last refresh, 1 for later ones; 0 if it learnt none.

    >>> whole_tail(np.array([0.5], np.float32), 2).tolist()
    [0.5, 1.0]
    """
    whole = np.full(rows, float(len(tail) > 0), np.float32)
    whole[: len(tail)] = tail[:rows]
    return whole


def weighed_tail(popularity: Vector, tail: Vector, settings: FoldSettings) -> tuple[Vector, Vector]:
    """c_i and p_i of the equation of this module for f = 1, shape (n,) each.

    Args:
        popularity: what popularity as of the last refresh adds, shape (n,).
        tail: g_i, shape (n,).
        settings: the score's weights.
    """
    weights = np.float32(settings.offset_weight) + np.float32(settings.tail_offset_weight) * tail
    return weights, popularity + np.float32(settings.tail_lift) * tail
