"""Which items people turn to next to which, from the log: `penchant.domain.neighbours`.

    N_ij = g_ij / (g_ij + k) log(g_ij / (r_i q_j)), where above 0       q_j = r_j^0.75 / sum r^0.75

g_ij counts likes of i and j that are near in a user's order and r_i is their sum over j, as in
`penchant.refresh.cooccurrence`, but over a window of a few likes, and shrunk where there is
little to go by. The opening's row is the same with g_j = the sum over users of 1 - a / (w + 1) for
a like of j that is a user's a-th, from 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from penchant.domain.neighbours import NEIGHBOUR_DTYPE, NEIGHBOURS, Neighbours
from penchant.domain.types import Rows
from penchant.refresh.cooccurrence import CONTEXT_POWER, Pairs, count_near, row_sums

WINDOW = 10
"""w: likes of a user that are at most so many places apart; ADR 5 says how it was chosen."""

SHRINKAGE = 1.0
"""k: counts at which a strength is halved."""


def find_neighbours(user: Rows, item: Rows, items: int) -> Neighbours:
    """N of the module's equation, shape (1 + items, at most `NEIGHBOURS`).

    Args:
        user: users' numbers in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: how many there are.

    Cost: O(m w) time; memory for the distinct pairs, twice.
    """
    upper = count_near(user, item, items, WINDOW)
    sums = row_sums(upper)
    both = (upper + upper.T).tocsr()
    opening = sparse.csr_matrix(_opening(user, item, items))
    counts = sparse.vstack([opening, both]).tocsr()
    totals = np.concatenate([[opening.sum()], sums])
    return _strongest(_strengths(counts, totals, sums))


def _opening(user: Rows, item: Rows, items: int) -> NDArray[np.float32]:
    """How much people begin with each item, shape (items,)."""
    first = np.flatnonzero(np.diff(user, prepend=-1))
    place = np.arange(len(user)) - np.repeat(first, np.diff(first, append=len(user)))
    near = np.maximum(0.0, 1 - place / (WINDOW + 1))
    return np.bincount(item, near, items).astype(np.float32)


def _strengths(counts: Pairs, totals: NDArray[np.float64], sums: NDArray[np.float64]) -> Pairs:
    powers = sums**CONTEXT_POWER
    with np.errstate(divide="ignore"):  # An item without pairs is named only by the opening.
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


def _strongest(strengths: Pairs) -> Neighbours:
    """The strongest of each row, strongest first; among equals the lowest number."""
    lengths = np.diff(strengths.indptr)
    row = np.repeat(np.arange(strengths.shape[0]), lengths)
    order = np.lexsort((strengths.indices, -strengths.data, row))
    place = np.arange(len(order)) - np.repeat(strengths.indptr[:-1], lengths)
    kept = place < NEIGHBOURS
    width = int(min(NEIGHBOURS, lengths.max(initial=0)))
    neighbours = np.zeros((strengths.shape[0], width), NEIGHBOUR_DTYPE)
    chosen = order[kept]
    neighbours["item"][row[chosen], place[kept]] = strengths.indices[chosen]
    neighbours["strength"][row[chosen], place[kept]] = strengths.data[chosen]
    return neighbours
