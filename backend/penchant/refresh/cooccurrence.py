"""Counts of likes that are near each other in a user's history, as sparse item-by-item matrices.

    g_ij = sum over users of (1 - a / (w + 1)) for likes of i and j that are a <= w places apart
    m_ij = (max(0, log g_ij / (r_i q_j)) + max(0, log g_ij / (r_j q_i))) / 2

with w the setting `window`, r_i = sum_j g_ij and q_j = r_j^0.75 / sum r^0.75: positive pointwise
mutual information with smoothed contexts (Levy, Goldberg and Dagan, "Improving distributional
similarity with lessons learned from word embeddings", 2015, section 3.1), averaged over both
directions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from penchant.domain.arrays import Float64
from penchant.domain.types import Rows

CONTEXT_POWER = 0.75
"""Exponent below 1, which damps the pointwise mutual information of rare contexts."""

SparsePairs = Any
"""A scipy.sparse CSR matrix, shape (items, items), float32; only pairs i < j are stored."""


def liked_in_order(
    user: Rows, item: Rows, reward: NDArray[np.floating[Any]], at_us: Rows
) -> tuple[Rows, Rows]:
    """Selects the events with a positive reward, sorted by user, then time, then `tie_order`.

    The order of the events in the log makes no difference.

    Args:
        user: users' numbers, shape (n,).
        item: items' numbers, shape (n,).
        reward: rewards, shape (n,).
        at_us: times in microseconds since 1970, shape (n,).

    Returns:
        The users and the items of the likes, each of shape (m,).
    """
    liked = np.flatnonzero(reward > 0)
    ties = tie_order(item[liked], at_us[liked])
    order = liked[np.lexsort((item[liked], ties, at_us[liked], user[liked]))]
    return user[order], item[order]


def tie_order(item: Rows, at_us: Rows) -> NDArray[np.uint64]:
    """Numbers that order events of one moment at random, but always alike, shape (n,).

    By the items' numbers, what comes next would be learnt from the numbers: a basket whose items
    have one time would always hold the lower one first.
    """
    mixed = at_us.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += item.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    order: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(32))
    return order


def count_near(user: Rows, item: Rows, items: int, window: int) -> SparsePairs:
    """Computes g_ij, the first equation of this module.

    Args:
        user: users' numbers, in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: number of items, N.
        window: largest distance w between two likes, in places of a user's history.

    Returns:
        The pairs i < j. Cost: O(m w) time; memory for the distinct pairs only.
    """
    counts = sparse.csr_matrix((items, items), dtype=np.float32)
    for apart in range(1, min(window + 1, len(user))):
        one, other = item[apart:], item[:-apart]
        near = (user[apart:] == user[:-apart]) & (one != other)
        low, high = np.minimum(one, other)[near], np.maximum(one, other)[near]
        weights = np.full(len(low), 1 - apart / (window + 1), np.float32)
        part = sparse.coo_matrix((weights, (low, high)), shape=(items, items))
        counts = counts + part.tocsr()
    return counts


def row_sums(pairs: SparsePairs) -> Float64:
    """Computes r_i, the co-occurrence of each item with all others, shape (items,)."""
    upper = np.asarray(pairs.sum(axis=1, dtype=np.float64)).ravel()
    lower = np.asarray(pairs.sum(axis=0, dtype=np.float64)).ravel()
    sums: Float64 = upper + lower
    return sums


def mutual_information(pairs: SparsePairs) -> SparsePairs:
    """Computes m_ij, the second equation of this module, for the pairs i < j; stores no zeros."""
    sums = row_sums(pairs)
    powers = sums**CONTEXT_POWER
    with np.errstate(divide="ignore"):  # An item without pairs is in no row.
        rows = np.log(sums).astype(np.float32)
        contexts = np.log(powers / max(powers.sum(), 1e-300)).astype(np.float32)
    left = np.repeat(np.arange(pairs.shape[0], dtype=np.int32), np.diff(pairs.indptr))
    logs = np.log(pairs.data)
    values = np.maximum(0, logs - rows[left] - contexts[pairs.indices])
    values += np.maximum(0, logs - rows[pairs.indices] - contexts[left])
    shape = pairs.shape
    result = sparse.csr_matrix((values / np.float32(2), pairs.indices, pairs.indptr), shape=shape)
    result.eliminate_zeros()
    return result
