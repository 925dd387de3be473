"""Item-to-item weights of a large catalog: each item's regression on those that are near it alone.

    b_Sj = (G_SS + lambda I)^-1 G_Sj        S: the `SUPPORT` items that are nearest to j

This is column j of B (`item_weights`) with all but the entries of S held at 0, which is the exact
ridge solution on that support. Local solves on a pattern chosen beforehand are how sparse
approximate inverses are made: Y. Kolotilina and Y. Yeremin, "Factorized sparse approximate inverse
preconditionings I", 1993; for item-to-item weights, M. Spisak et al., "Scalable approximate
nonsymmetric autoencoder for collaborative filtering" (SANSA), RecSys 2023. Near is what has the
largest G_ij / sqrt(G_ii), so that popular items do not fill every support.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, NEIGHBOURS, Neighbours
from penchant.domain.types import Rows
from penchant.refresh.cooccurrence import SparsePairs, count_near

SUPPORT = 100
"""Items that an item's weights are spread over, at most."""

WINDOW = 40
"""Largest distance between two likes of a user, in places; the closed form's would take more memory
than a large catalog leaves."""

POPULAR = 2000
"""Items with the most pairs, whose pairs among each other are held in full."""


def find_sparse_item_weights(
    user: Rows, item: Rows, items: int, ridge: float, window: int = WINDOW
) -> Neighbours:
    """Computes the strongest entries of each row of B by local regressions.

    Args:
        user: users' numbers, in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: number of items.
        ridge: lambda in multiples of the mean of G's diagonal.
        window: largest distance between two likes of a user, in places.

    Returns:
        Shape (1 + items, at most `NEIGHBOURS`), row 0, the opening's, empty.

    Cost: O(m w) to count; for each liked item a solve of `SUPPORT` unknowns, about 1 ms.
    """
    _, first = np.unique(user * items + item, return_index=True)
    kept = np.sort(first)
    user, item = user[kept], item[kept]
    upper = count_near(user, item, items, window)
    pairs = (upper + upper.T).tocsr()
    likes = np.bincount(item, minlength=items).astype(np.float32)
    penalty = ridge * float(likes[likes > 0].mean())
    solver = _LocalRegressions(pairs, likes, penalty)
    return _by_row(*solver.columns(), items)


class _LocalRegressions:
    """Solves for one column of B after the other."""

    def __init__(self, pairs: SparsePairs, likes: Float32, penalty: float) -> None:
        self._pairs, self._likes, self._penalty = pairs, likes, np.float32(penalty)
        lengths = np.diff(pairs.indptr)
        items = len(likes)
        popular = np.argsort(-lengths, kind="stable")[: min(POPULAR, items)]
        self._popular = np.full(items, -1, np.int64)
        """Place of an item in the full block, or -1."""
        self._popular[popular] = np.arange(len(popular))
        self._block: Float32 = pairs[popular][:, popular].toarray()
        self._place = np.full(items, -1, np.int64)

    def columns(self) -> tuple[Int64, Int64, Float32]:
        """All entries of B: rows, columns and values, shape (k,) each."""
        rows, columns, values = [], [], []
        for number in np.flatnonzero(np.diff(self._pairs.indptr)).tolist():
            support, strength = self._column(number)
            rows.append(support)
            columns.append(np.full(len(support), number))
            values.append(strength)
        if not rows:
            nothing = np.empty(0, np.int64)
            return nothing, nothing, np.empty(0, np.float32)
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)

    def _column(self, number: int) -> tuple[Int64, Float32]:
        pairs = self._pairs
        own = slice(int(pairs.indptr[number]), int(pairs.indptr[number + 1]))
        near, counts = pairs.indices[own].astype(np.int64), pairs.data[own]
        if len(near) > SUPPORT:
            strongest = np.argpartition(-counts / np.sqrt(self._likes[near]), SUPPORT - 1)[:SUPPORT]
            near, counts = near[strongest], counts[strongest]
        gram = self._gram(near)
        _, found, failed = lapack.sposv(gram, counts.astype(np.float32))
        if failed:  # Rounding at most: the penalty makes it positive definite.
            return near[:0], np.empty(0, np.float32)
        return near, found

    def _gram(self, near: Int64) -> Float32:
        """G + lambda I among some items, shape (s, s)."""
        size = len(near)
        gram = np.zeros((size, size), np.float32)
        in_block = self._popular[near]
        held = np.flatnonzero(in_block >= 0)
        gram[np.ix_(held, held)] = self._block[np.ix_(in_block[held], in_block[held])]
        self._place[near] = np.arange(size)
        pairs = self._pairs
        for row in np.flatnonzero(in_block < 0).tolist():
            own = slice(int(pairs.indptr[near[row]]), int(pairs.indptr[near[row] + 1]))
            places = self._place[pairs.indices[own]]
            inside = places >= 0
            gram[row, places[inside]] = pairs.data[own][inside]
            gram[places[inside], row] = pairs.data[own][inside]
        self._place[near] = -1
        gram.reshape(-1)[:: size + 1] = self._likes[near] + self._penalty
        return gram


def _by_row(rows: Int64, columns: Int64, values: Float32, items: int) -> Neighbours:
    """The strongest entries of each row."""
    strength: Float64 = np.abs(values).astype(np.float64)
    order = np.lexsort((columns, -strength, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    begins = np.searchsorted(rows, np.arange(items))
    place = np.arange(len(rows)) - begins[rows]
    kept = place < NEIGHBOURS
    width = min(NEIGHBOURS, int(place.max(initial=-1)) + 1)
    table = np.zeros((1 + items, width), NEIGHBOUR_DTYPE)
    table["item"][1 + rows[kept], place[kept]] = columns[kept]
    table["strength"][1 + rows[kept], place[kept]] = values[kept]
    return table
