"""A new catalog version: the Gram matrix and the prior, fixed for the fold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penchant.catalog import files
from penchant.catalog.files import Frozen
from penchant.domain.types import CatalogHead, Matrix


def gram_of(vectors: Matrix, alive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """X'X / N over the items that can be ranked, shape (d, d). Cost: O(N d^2)."""
    ranked = vectors if alive.all() else vectors[alive]
    if len(ranked) == 0:
        return np.zeros((vectors.shape[1], vectors.shape[1]))
    product: NDArray[np.float64] = (ranked.T @ ranked).astype(np.float64) / len(ranked)
    return product


def freeze(directory: Path, head: CatalogHead, frozen: Frozen) -> CatalogHead:
    """Writes the next version's file and returns the head that names it; the caller commits it."""
    version = head.version + 1
    crc = files.write_version(directory, version, frozen)
    return dataclasses.replace(head, version=version, frozen_items=head.alive, version_crc=crc)
