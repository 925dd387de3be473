"""How far item vectors move from one catalog version to the next."""

from __future__ import annotations

import numpy as np

from penchant.catalog.view import CatalogView
from penchant.domain.types import Matrix, Rows

SAMPLE = 1_000
"""Items that are compared, at most."""


class VectorDrift:
    """Compares a sample of vectors with those of the version before.

    A new encoder makes another space, in which the same taste lies elsewhere: then the figure says
    that nothing is left of the old one, which is true of vectors and not of rankings.
    """

    def __init__(self) -> None:
        """Has seen no version yet."""
        self._version: int | None = None
        self._rows: Rows = np.empty(0, np.int64)
        self._vectors: Matrix = np.empty((0, 0), np.float32)
        self._drift: float | None = None

    def look(self, view: CatalogView) -> float | None:
        """Mean of 1 - cosine, 0 to 2; None until the version has changed.

        Cost: under 1 microsecond while the version stays.
        """
        if view.head.version == self._version:
            return self._drift
        if self._version is not None and len(self._rows):
            self._drift = self._compared(view)
        self._version = view.head.version
        alive = np.flatnonzero(view.alive[: view.head.rows])
        self._rows = alive[:: max(1, -(-len(alive) // SAMPLE))]
        self._vectors = np.array(view.vectors[self._rows])
        return self._drift

    def _compared(self, view: CatalogView) -> float | None:
        if self._vectors.shape[1] != view.vectors.shape[1]:
            return 1.0
        kept = self._rows < view.head.rows
        kept[kept] &= view.alive[self._rows[kept]]
        if not kept.any():
            return self._drift
        old, new = self._vectors[kept], view.vectors[self._rows[kept]]
        norms = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
        cosines = (old * new).sum(axis=1) / np.where(norms > 0, norms, 1.0)
        return max(0.0, 1.0 - float(cosines.mean()))
