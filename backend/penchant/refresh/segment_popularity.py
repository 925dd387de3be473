"""Learns what people with the same attributes like more or less than others, from the log.

    lift(v, i) = (c_vi + kappa) / (e_vi + kappa),   e_vi = c_v p_i,   S[v, i] = f_key log lift(v, i)

c_vi counts the likes of item i in segment v, a value of a key of the events' contexts, and e_vi is
what to expect of them if the key said nothing: c_v are the likes in the segment, and p_i the item's
share of all likes whose context has the key. The lift is the mean of its posterior under a gamma
prior of mean 1, whose shape kappa the counts choose by their likelihood, key by key (W. DuMouchel,
"Bayesian data mining in large frequency tables", 1999, section 2, with one component). A segment of
few likes thus says little, and a key that says nothing has a large kappa and no part.

A user counts once for an item in a segment, and `MOST_OF_USER` likes together at most. Segments of
fewer than `LEAST_USERS` users have no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, Neighbours
from penchant.domain.segments import SegmentPopularity
from penchant.logs.interactions import Interactions

MOST_OF_USER = 20.0
"""Likes that one user counts for in a segment, at most."""

LEAST_USERS = 10
"""Users below which a segment has no part."""

MOST_KEYS = 8
"""Keys that are looked at, those that most likes have first."""

MOST_CELLS = 10_000_000
"""Segments of a key times items, at most; segments with the most users go first."""

MOST_ENTRIES = 1000
"""Items of a segment that are kept, at most: those with the most likes too many or too few."""

SHAPES = np.geomspace(1.0, 1000.0, 25)
"""The kappa that are tried; at the last one, the key says nothing."""

_CELLS_FOR_SHAPE = 200_000


@dataclass(frozen=True, slots=True)
class SegmentLifts:
    """The segments of one key, for n values and m items."""

    values: tuple[str, ...]
    """In alphabetical order."""
    log_lift: Float32
    """Shape (n, m)."""
    surplus: Float32
    """|c - e|, shape (n, m)."""

    def row_of_each(self, values: tuple[str, ...]) -> Int64:
        """The row of each of some values; -1 for one without a segment, and at the end."""
        row = {value: place for place, value in enumerate(self.values)}
        return np.array([*(row.get(value, -1) for value in values), -1], np.int64)


def find_segments(
    events: Interactions, rewards: Float64, items: int, keys: frozenset[str] | None = None
) -> dict[str, SegmentLifts]:
    """The equation of this module without f, by key, for the keys that say anything.

    Args:
        events: n events.
        rewards: above 0 for a like, shape (n,).
        items: number of items.
        keys: the keys to look at; None: all.

    Cost: a sort of the likes, a key; memory of `MOST_CELLS` numbers, a few times.
    """
    liked = np.flatnonzero(rewards > 0)
    having = {
        key: int(np.count_nonzero(found.code[liked] >= 0))
        for key, found in events.context.items()
        if keys is None or key in keys
    }
    chosen = sorted(having, key=lambda key: (-having[key], key))[:MOST_KEYS]
    found = {key: _lifts(events, liked, items, key) for key in sorted(chosen)}
    return {key: lifts for key, lifts in found.items() if lifts is not None}


def _lifts(events: Interactions, liked: Int64, items: int, key: str) -> SegmentLifts | None:
    context = events.context[key]
    liked = liked[context.code[liked] >= 0]
    names, place = np.unique(np.array([*context.values, ""]), return_inverse=True)
    triples = np.stack([place[context.code[liked]], events.user[liked], events.item[liked]])
    segment, user, item = np.unique(triples, axis=1) if len(liked) else triples
    pair, of_user = np.unique(segment * (user.max(initial=0) + 1) + user, return_inverse=True)
    users = np.bincount(pair // (user.max(initial=0) + 1), minlength=len(names))
    kept = np.flatnonzero(users >= LEAST_USERS)
    kept = np.sort(kept[np.argsort(-users[kept], kind="stable")][: max(1, MOST_CELLS // items)])
    if len(kept) < 2:
        return None
    row = np.full(len(names), -1)
    row[kept] = np.arange(len(kept))
    weight = np.minimum(1.0, MOST_OF_USER / np.bincount(of_user))[of_user]
    share = np.bincount(item, weight, items) / weight.sum()
    inside = row[segment] >= 0
    cell = row[segment[inside]] * items + item[inside]
    flat = np.bincount(cell, weight[inside], len(kept) * items).astype(np.float64)
    count = flat.reshape(len(kept), items)
    expected = count.sum(axis=1, keepdims=True) * share
    shape = _shape(flat, expected.ravel())
    if shape >= SHAPES[-1]:
        return None
    return SegmentLifts(
        tuple(names[kept].tolist()),
        np.log((count + shape) / (expected + shape)).astype(np.float32),
        np.abs(count - expected).astype(np.float32),
    )


def _shape(count: Float64, expected: Float64) -> float:
    """The likeliest kappa: counts are negative binomial, given it."""
    cells = np.flatnonzero(expected > 0)
    if len(cells) > _CELLS_FOR_SHAPE:
        cells = cells[np.argpartition(-expected[cells], _CELLS_FOR_SHAPE)[:_CELLS_FOR_SHAPE]]
    c, e = count[cells], expected[cells]
    likelihood = [
        float((gammaln(c + k) - gammaln(k) - c * np.log(k + e) - k * np.log1p(e / k)).sum())
        for k in SHAPES.tolist()
    ]
    return float(SHAPES[int(np.argmax(likelihood))])


def segment_popularity_of(
    events: Interactions, rewards: Float64, items: int, factors: Mapping[str, float]
) -> SegmentPopularity:
    """What the segments of the named keys add to the items' scores.

    Args:
        events: n events.
        rewards: above 0 for a like, shape (n,).
        items: number of items.
        factors: f of this module's equation by key; others have no part.
    """
    if not factors:
        return SegmentPopularity()
    found = find_segments(events, rewards, items, frozenset(factors))
    names = tuple((key, value) for key, lifts in found.items() for value in lifts.values)
    if not names:
        return SegmentPopularity()
    width = min(MOST_ENTRIES, items)
    tables = [_largest(lifts, factors[key], width) for key, lifts in found.items()]
    return SegmentPopularity(names, np.concatenate(tables))


def _largest(lifts: SegmentLifts, factor: float, width: int) -> Neighbours:
    """The entries of the largest surplus, in the order of the items."""
    order = np.argsort(-lifts.surplus, axis=1, kind="stable")[:, :width]
    chosen = np.sort(order, axis=1)
    entries = np.zeros(chosen.shape, NEIGHBOUR_DTYPE)
    entries["item"] = chosen
    entries["strength"] = factor * np.take_along_axis(lifts.log_lift, chosen, axis=1)
    return entries
