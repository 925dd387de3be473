"""Finds each item's neighbours in the log; `penchant.domain.neighbours` scores with them.

    N_ij = g_ij / (g_ij + k) log(g_ij / (r_i q_j)), where above 0       q_j = r_j^0.75 / sum r^0.75

g_ij and r_i are those of `penchant.refresh.cooccurrence`, over a window of a few likes; the factor
g_ij / (g_ij + k) shrinks strengths that rest on few counts. The opening's row holds the items that
users begin with: there g_j is the sum over users of 1 - a / (w + 1), where a is the place of the
like of j in the user's history, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from penchant.domain.arrays import Float32, Float64
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, NEIGHBOURS, Neighbours
from penchant.domain.types import Rows, Vector
from penchant.refresh.cooccurrence import CONTEXT_POWER, SparsePairs, count_near, row_sums

WINDOW = 10
"""Largest distance w between two likes of a user, in places; ADR 5 says how it was chosen."""

SHRINKAGE = 1.0
"""Count k at which a strength is halved."""


def find_neighbours(user: Rows, item: Rows, items: int) -> Neighbours:
    """Computes N, the equation of this module.

    Args:
        user: users' numbers, in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: number of items.

    Returns:
        Shape (1 + items, at most `NEIGHBOURS`); row 0 is the opening's. Cost: O(m w) time; twice
        the memory of the distinct pairs.
    """
    upper = count_near(user, item, items, WINDOW)
    sums = row_sums(upper)
    both = (upper + upper.T).tocsr()
    opening = sparse.csr_matrix(_opening(user, item, items))
    counts = sparse.vstack([opening, both]).tocsr()
    totals = np.concatenate([[opening.sum()], sums])
    return strongest_entries(_strengths(counts, totals, sums))


def _opening(user: Rows, item: Rows, items: int) -> Float32:
    """Computes how often users begin with each item, shape (items,)."""
    first = np.flatnonzero(np.diff(user, prepend=-1))
    place = np.arange(len(user)) - np.repeat(first, np.diff(first, append=len(user)))
    near = np.maximum(0.0, 1 - place / (WINDOW + 1))
    return np.bincount(item, near, items).astype(np.float32)


def _strengths(counts: SparsePairs, totals: Float64, sums: Float64) -> SparsePairs:
    powers = sums**CONTEXT_POWER
    with np.errstate(divide="ignore"):  # An item without pairs is in the opening only.
        rows = np.log(totals)
        contexts = np.log(powers / max(powers.sum(), 1e-300))
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    surprise = np.log(counts.data) - rows[row] - contexts[counts.indices]
    surprise[~np.isfinite(surprise)] = 0.0
    values = np.maximum(0.0, surprise) * counts.data / (counts.data + SHRINKAGE)
    shape = counts.shape
    strengths = sparse.csr_matrix((values, counts.indices, counts.indptr), shape=shape)
    strengths.eliminate_zeros()
    return strengths


def combine(
    near: Neighbours,
    of_near: float,
    others: Sequence[tuple[Neighbours, float]],
    of_opening: float,
    opening: Vector,
) -> Neighbours:
    """The weighted sum of tables, pruned to the strongest of each row.

    Args:
        near: neighbours by co-occurrence, shape (1 + items, ...).
        of_near: their factor.
        others: more tables of as many rows, or of none, and the factor of each.
        of_opening: factor of the opening's row of `near`.
        opening: what is added to the opening's row, shape (items,).
    """
    if near.shape[0] < 2:
        return near
    rows = near.shape[0]
    by_row = np.full(rows, of_near)
    by_row[0] = of_opening
    total = sparse.diags(by_row) @ _as_sparse(near, rows)
    for table, factor in others:
        if len(table) and factor:
            total = total + factor * _as_sparse(table, rows)
    if opening.any():
        below = sparse.csr_matrix((rows - 1, rows - 1))
        total = total + sparse.vstack([sparse.csr_matrix(opening), below])
    total = total.tocsr()
    total.eliminate_zeros()
    return strongest_entries(total)


def _as_sparse(table: Neighbours, rows: int) -> SparsePairs:
    row = np.repeat(np.arange(rows), table.shape[1])
    values = (table["strength"].ravel(), (row, table["item"].ravel()))
    return sparse.csr_matrix(values, shape=(rows, rows - 1), dtype=np.float64)


def strongest_entries(strengths: SparsePairs) -> Neighbours:
    """The strongest entries of each row, strongest first; of equals, the lowest number first."""
    lengths = np.diff(strengths.indptr)
    row = np.repeat(np.arange(strengths.shape[0]), lengths)
    order = np.lexsort((strengths.indices, -np.abs(strengths.data), row))
    place = np.arange(len(order)) - np.repeat(strengths.indptr[:-1], lengths)
    kept = place < NEIGHBOURS
    width = int(min(NEIGHBOURS, lengths.max(initial=0)))
    neighbours = np.zeros((strengths.shape[0], width), NEIGHBOUR_DTYPE)
    chosen = order[kept]
    neighbours["item"][row[chosen], place[kept]] = strengths.indices[chosen]
    neighbours["strength"][row[chosen], place[kept]] = strengths.data[chosen]
    return neighbours
