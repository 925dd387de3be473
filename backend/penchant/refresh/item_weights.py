"""Item-to-item weights by ridge regression of every item on all others, in closed form (EASE).

    B = I - P diag(1 / diag P),   P = (G + lambda I)^-1,   diag B = 0

G counts likes of one user that are near each other, 1 - a / (w + 1) at a distance of a places, and
each item's likes on its diagonal. These weights keep G positive semidefinite. H. Steck,
"Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8. Row j of B says what a
like of j adds to the score of each item; unlike a vector of a few dozen numbers it can hold any set
of items, and unlike a count it leaves out what other likes explain already.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from penchant.domain.arrays import Float32
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, NEIGHBOURS, Neighbours, no_neighbours
from penchant.domain.types import Rows
from penchant.refresh.sparse_item_weights import find_sparse_item_weights

WINDOW = 160
"""w: largest distance between two likes of a user, in places."""

MOST_ITEMS = 20_000
"""Largest number of liked items for which B is computed in closed form, 4 bytes a pair; beyond it
`sparse_item_weights` approximates B."""

RIDGE = 16.0
"""lambda in multiples of the mean of G's diagonal."""


def find_item_weights(user: Rows, item: Rows, items: int, ridge: float = RIDGE) -> Neighbours:
    """Computes the strongest entries of each row of B, the equation of this module.

    Args:
        user: users' numbers, in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: number of items.
        ridge: lambda in multiples of the mean of G's diagonal.

    Returns:
        Shape (1 + items, at most `NEIGHBOURS`), row 0, the opening's, empty. None at all without
        likes. Cost: O(m w + n^3) time and 8 n^2 bytes for n liked items; for more than `MOST_ITEMS`
        that of `find_sparse_item_weights`.
    """
    liked = np.unique(item)
    if len(liked) < 2:
        return no_neighbours()
    if len(liked) > MOST_ITEMS:
        return find_sparse_item_weights(user, item, items, ridge)
    gram = _gram(user, np.searchsorted(liked, item), len(liked))
    weights = _solve(gram, ridge * float(np.diagonal(gram).mean()))
    return strongest_of(weights, liked, items)


def strongest_of(weights: Float32, liked: Rows, items: int) -> Neighbours:
    """The strongest entries of each row of a dense table of the liked items.

    Args:
        weights: what each liked item adds to each, shape (n, n).
        liked: their numbers, rising, shape (n,).
        items: number of items.

    Returns:
        Shape (1 + items, at most `NEIGHBOURS`); row 0, the opening's, is empty.
    """
    width = min(NEIGHBOURS, len(liked) - 1)
    table = np.zeros((1 + items, width), NEIGHBOUR_DTYPE)
    for row, number in enumerate(liked.tolist()):
        strongest = np.argpartition(-np.abs(weights[row]), width - 1)[:width]
        table["item"][1 + number] = liked[strongest]
        table["strength"][1 + number] = weights[row][strongest]
    return table


def _gram(user: Rows, item: Rows, items: int) -> Float32:
    """G in full, shape (items, items); a user's repeated likes of an item count once."""
    _, first = np.unique(user * items + item, return_index=True)
    kept = np.sort(first)
    user, item = user[kept], item[kept]
    gram = np.zeros((items, items), np.float32)
    flat = gram.reshape(-1)
    for apart in range(1, min(WINDOW + 1, len(user))):
        near = user[apart:] == user[:-apart]
        pairs = item[apart:][near] * items + item[:-apart][near]
        np.add.at(flat, pairs, np.float32(1 - apart / (WINDOW + 1)))
    gram += gram.T.copy()
    gram.reshape(-1)[:: items + 1] = np.bincount(item, minlength=items)
    return gram


def _solve(gram: Float32, ridge: float) -> Float32:
    """B for a Gram matrix, which is overwritten."""
    gram.reshape(-1)[:: len(gram) + 1] += np.float32(ridge)
    factor, failed = lapack.spotrf(gram.T, lower=True, overwrite_a=True)
    inverse, failed_too = lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed or failed_too:  # Rounding at most: the ridge makes it positive definite.
        return np.zeros_like(gram)
    lower = np.tril(inverse)
    full = lower + np.tril(inverse, -1).T
    weights: Float32 = full / -np.diagonal(full)
    np.fill_diagonal(weights, 0.0)
    return weights
