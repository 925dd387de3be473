"""What users like next after what they liked last, by ridge regression in closed form.

    T = (X'X + lambda I)^-1 X'Y            S_ij = n_ij / (n_i + k)

One row of X for each like that follows others of its user: the items that the user liked before it,
halved with every like since, in shares that sum to 1, as the score weighs them
(`penchant.domain.neighbours`). The same row of Y is the like itself. Row j of T says what a like of
j adds to the score of each item as the next one. Unlike counts of what is near what, it knows the
order of likes, and it leaves out what the other likes before explain.

T shrinks items with few likes, and says how much is liked, not how surely. Where one item leads to
the next (the tracks of an album, the parts of a course, the next episode) the very last like says
it, however rare: S is the same regression on the last like alone, whose X'X is diagonal, with a
small ridge. n_ij counts the likes of j right after i, n_i those of any item: S_ij is the chance
that j comes next, shrunk to 0 where i was seldom followed by anything.

M. Choi, J. Kim, J. Lee, H. Shim and J. Lee, "Session-aware Linear Item-Item Models for
Session-based Recommendation", WWW 2021, equation 9 (SLIT).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from penchant.domain.arrays import Float32
from penchant.domain.neighbours import Neighbours, no_neighbours
from penchant.domain.types import Rows
from penchant.refresh.cooccurrence import SparsePairs
from penchant.refresh.item_weights import MOST_ITEMS, strongest_of
from penchant.refresh.neighbour_table import strongest_entries

BEFORE = 16
"""Likes before the next one that a row of X holds, at most."""

HALF_LIFE = 2.5
"""Likes after which a like before counts half."""

RIDGE = 16.0
"""lambda in multiples of the mean of the diagonal of X'X."""

SHRINKAGE = 1.0
"""k of S: likes after an item at which the chances of what follows it are halved."""


def find_transitions(user: Rows, item: Rows, items: int) -> Neighbours:
    """Computes the strongest entries of each row of T, the equation of this module.

    Args:
        user: users' numbers, in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: number of items.

    Returns:
        Shape (1 + items, at most `NEIGHBOURS`), row 0, the opening's, empty. None at all without
        likes that follow others, or for more than `MOST_ITEMS` liked items. Cost: O(m b^2 + n^3)
        time and 8 n^2 bytes for n liked items and b = `BEFORE`.
    """
    liked = np.unique(item)
    if not 1 < len(liked) <= MOST_ITEMS:
        return no_neighbours()
    before, following = _before_and_next(user, np.searchsorted(liked, item), len(liked))
    if not before.nnz:
        return no_neighbours()
    table = _solve(before, following)
    np.fill_diagonal(table, 0.0)
    return strongest_of(table, liked, items)


def find_successors(user: Rows, item: Rows, items: int) -> Neighbours:
    """Computes the strongest entries of each row of S, the equation of this module.

    Args:
        user: users' numbers, in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: number of items.

    Returns:
        Shape (1 + items, at most `NEIGHBOURS`); row 0, the opening's, is empty. Cost: O(m log m).
    """
    follows = (user[1:] == user[:-1]) & (item[1:] != item[:-1])
    last, following = item[:-1][follows], item[1:][follows]
    ones = np.ones(len(last))
    # Row 0 is the opening's. Pairs that are met again are summed.
    counts = sparse.csr_matrix((ones, (1 + last, following)), shape=(1 + items, items))
    of_all = np.asarray(counts.sum(axis=1)).ravel()
    return strongest_entries(sparse.diags(1 / (of_all + SHRINKAGE)) @ counts)


def _before_and_next(user: Rows, item: Rows, items: int) -> tuple[SparsePairs, SparsePairs]:
    """X and Y, a row for each like but the first of each user."""
    likes = len(user)
    rows, places = [], []
    for apart in range(1, min(BEFORE + 1, likes)):
        row = apart + np.flatnonzero(user[apart:] == user[:-apart])
        rows.append(row)
        places.append(row - apart)
    row = np.concatenate(rows or [np.empty(0, np.int64)])
    place = np.concatenate(places or [np.empty(0, np.int64)])
    weights = np.exp2((place - row + 1) / HALF_LIFE)
    sums = np.bincount(row, weights, likes)
    shape = (likes, items)
    before = sparse.csr_matrix((weights / sums[row], (row, item[place])), shape)
    follows = np.flatnonzero(sums)
    ones = np.ones(len(follows))
    following = sparse.csr_matrix((ones, (follows, item[follows])), shape)
    return before, following


def _solve(before: SparsePairs, following: SparsePairs) -> Float32:
    """T, dense, shape (items, items)."""
    # Summed in double precision, so that the order of the users makes no difference.
    gram = (before.T @ before).toarray(order="F").astype(np.float32)
    diagonal = np.diagonal(gram)
    np.fill_diagonal(gram, diagonal + RIDGE * diagonal[diagonal > 0].mean())
    counts = (before.T @ following).toarray(order="F").astype(np.float32)
    factor, failed = lapack.spotrf(gram, lower=True, overwrite_a=True)
    table, failed_too = lapack.spotrs(factor, counts, lower=True, overwrite_b=True)
    if failed or failed_too:  # Rounding at most: the ridge makes it positive definite.
        return np.zeros_like(gram)
    # Rounded, so that the number of threads makes no difference.
    return np.ascontiguousarray(table.round(6), np.float32)
