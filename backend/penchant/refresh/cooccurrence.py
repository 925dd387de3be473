"""What users liked near in time, as sparse matrices over pairs of items.

    g_ij = sum over users of (1 - a / (w + 1)) for likes of i and j that are a <= w places apart
    m_ij = (max(0, log g_ij / (r_i q_j)) + max(0, log g_ij / (r_j q_i))) / 2

with r_i = sum_j g_ij and q_j = r_j^0.75 / sum r^0.75: positive pointwise mutual information with
smoothed contexts (Levy, Goldberg and Dagan, "Improving distributional similarity with lessons
learned from word embeddings", 2015, section 3.1), both ways round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from penchant.domain.types import Rows

CONTEXT_POWER = 0.75
"""Rare contexts count for less surprise than they would."""

Pairs = Any
"""A scipy.sparse CSR matrix, shape (items, items), float32, of the pairs i < j."""


def liked_in_order(
    user: Rows, item: Rows, reward: NDArray[np.floating[Any]], at_us: Rows
) -> tuple[Rows, Rows]:
    """Users and items of the events with a positive reward, by user, then time, then item.

    Shapes (n,) in, (m,) out. The order of the events in the log makes no difference.
    """
    liked = np.flatnonzero(reward > 0)
    order = liked[np.lexsort((item[liked], at_us[liked], user[liked]))]
    return user[order], item[order]


def count_near(user: Rows, item: Rows, items: int, window: int) -> Pairs:
    """g_ij of the module's first equation.

    Args:
        user: users' numbers in the order of `liked_in_order`, shape (m,).
        item: items' numbers, shape (m,).
        items: N, how many there are.
        window: w, in places of a user's order.

    Returns:
        The pairs i < j. Cost: O(m w) time; memory for the distinct pairs alone.
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


def row_sums(pairs: Pairs) -> NDArray[np.float64]:
    """r_i, shape (items,): how much each item was liked near others."""
    upper = np.asarray(pairs.sum(axis=1, dtype=np.float64)).ravel()
    lower = np.asarray(pairs.sum(axis=0, dtype=np.float64)).ravel()
    sums: NDArray[np.float64] = upper + lower
    return sums


def mutual_information(pairs: Pairs) -> Pairs:
    """m_ij of the module's second equation, of the pairs i < j; zeros are not stored."""
    sums = row_sums(pairs)
    powers = sums**CONTEXT_POWER
    with np.errstate(divide="ignore"):  # An item without pairs is named by none.
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
