"""Factorises co-occurrence and texts into one vector per item, rotated into the texts' space.

    M + mu T T' ~ C C'            the d largest eigenvalues; rows of C scaled to unit norm
    R = argmin |S (C R - T)|      over rotations; S weighs each item by the evidence about it

mu is the setting `text_weight`.

The factorisation: O. Levy and Y. Goldberg, "Neural word embedding as implicit matrix
factorization", 2014. The rotation: P. Schönemann, "A generalized solution of the orthogonal
Procrustes problem", 1966.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from penchant.domain.types import Matrix
from penchant.refresh.cooccurrence import SparsePairs

DENSE_ITEMS = 512
"""Largest catalog for the dense eigensolver: as fast as the sparse one there, and it converges."""

SEED = 1
"""Seed of the Lanczos iteration's start vector."""


def factorise(information: SparsePairs, texts: Matrix, text_weight: float) -> Matrix:
    """Computes the factors C.

    Args:
        information: M, the pairs i < j.
        texts: T, shape (items, d).
        text_weight: mu.

    Returns:
        C, shape (items, d), float32; each row has unit norm or is zero. Equal inputs give equal
        factors on the same libraries. Cost: some hundred products with the sparse matrix,
        O(pairs + items d) each.
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
    """Rotates the factors as near to the texts as a rotation can.

    Args:
        factors: C, shape (items, d).
        texts: T, shape (items, d).
        weights: S, one weight per item, shape (items,), 0 or more.

    Returns:
        C R, shape (items, d), float32.
    """
    left, _, right = np.linalg.svd((factors * weights[:, None]).T.astype(np.float64) @ texts)
    turned: Matrix = (factors @ (left @ right)).astype(np.float32)
    return turned
