"""From co-occurrence and texts to one vector per item, turned into the texts' own space.

    M + mu T T' ~ C C'            the d largest eigenvalues; rows of C scaled to unit norm
    R = argmin |S (C R - T)|      over rotations; S weighs items by what is known of them

Words and texts alike: O. Levy and Y. Goldberg, "Neural word embedding as implicit matrix
factorization", 2014; the rotation: P. Schönemann, "A generalized solution of the orthogonal
Procrustes problem", 1966.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from penchant.domain.types import Matrix
from penchant.refresh.cooccurrence import Pairs

DENSE_ITEMS = 512
"""Up to here all eigenvalues are found at once, which is as fast and knows no exceptions."""

SEED = 1
"""Of the vector that the Lanczos iteration starts from."""


def factorise(information: Pairs, texts: Matrix, text_weight: float) -> Matrix:
    """C, shape (items, d), rows of unit norm or zero.

    Args:
        information: M, the pairs i < j.
        texts: T, shape (items, d).
        text_weight: mu.

    Returns:
        The same for the same inputs, on the same libraries. Cost: some hundred products with the
        sparse matrix, O(pairs + items d) each.
    """
    items, dimensions = texts.shape
    below = information.T.tocsr()
    weighted = np.float32(text_weight) * texts

    def times(vector: Matrix) -> Matrix:
        product: Matrix = information @ vector + below @ vector
        return product + weighted @ (texts.T @ vector)

    if items <= max(DENSE_ITEMS, 4 * dimensions):
        values, vectors = np.linalg.eigh(times(np.eye(items, dtype=np.float32)))
    else:
        operator = LinearOperator((items, items), matvec=times, matmat=times, dtype=np.float32)
        start = np.random.default_rng(SEED).standard_normal(items).astype(np.float32)
        values, vectors = eigsh(operator, k=dimensions, which="LA", v0=start, tol=1e-4)
    values, vectors = values[-dimensions:], vectors[:, -dimensions:]
    factors = np.zeros((items, dimensions), np.float32)
    factors[:, : len(values)] = vectors * np.sqrt(np.maximum(values, 0))
    norms = np.linalg.norm(factors, axis=1, keepdims=True)
    return np.divide(factors, norms, out=np.zeros_like(factors), where=norms > 0)


def turn(factors: Matrix, texts: Matrix, weights: NDArray[np.floating[Any]]) -> Matrix:
    """The factors after the rotation that brings them nearest to the texts, shape (items, d).

    `weights` has one value per item, shape (items,), 0 or more.
    """
    left, _, right = np.linalg.svd((factors * weights[:, None]).T.astype(np.float64) @ texts)
    turned: Matrix = (factors @ (left @ right)).astype(np.float32)
    return turned
