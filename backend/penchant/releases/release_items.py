"""What a release knows of the items: vectors, residuals, neighbours, prior and offsets, in a file.

So a server need not encode what the release has encoded, and one without a log of its own begins
with what was learnt elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, Neighbours, no_neighbours
from penchant.domain.residuals import anchored
from penchant.domain.types import Matrix, Vector
from penchant.refresh.item_vectors import RefreshedCatalog


@dataclass(frozen=True, slots=True)
class ReleasedItems:
    """n items, in the order of their ids in the file."""

    ids: list[str]
    texts: list[str]
    text_vectors: Matrix
    """Shape (n, d)."""
    residuals: Matrix
    """What the log added to the texts' vectors, shape (n, d)."""
    neighbours: Neighbours
    """By row of the ids."""
    prior_mean: NDArray[np.float64]
    """Shape (d,)."""
    offsets: Vector
    """b_i as of the end of the log, shape (n,)."""

    def write(self, path: Path) -> None:
        """Writes the file; equal items, equal bytes."""
        arrays = {
            "ids": np.array(self.ids, np.str_),
            "texts": np.array(self.texts, np.str_),
            "text_vectors": self.text_vectors,
            "residuals": self.residuals,
            "neighbours": self.neighbours,
            "prior_mean": self.prior_mean,
            "offsets": self.offsets,
        }
        with path.open("wb") as file:
            np.savez(file, **arrays)

    def refreshed(self, ids: list[str], texts: Matrix) -> RefreshedCatalog:
        """What was learnt, for the items of another catalog; what it does not know stays its text.

        Args:
            ids: of that catalog's items.
            texts: their texts' vectors, shape (m, d).
        """
        row = {id_: place for place, id_ in enumerate(self.ids)}
        found = np.array([row.get(id_, -1) for id_ in ids], np.int64)
        known = found >= 0
        residuals = np.zeros(texts.shape, np.float32)
        residuals[known] = self.residuals[found[known]]
        neighbours = self._moved(found, known)
        return RefreshedCatalog(anchored(texts, residuals), residuals, self.prior_mean, neighbours)

    def _moved(self, found: NDArray[np.int64], known: NDArray[np.bool_]) -> Neighbours:
        """The neighbours by row of the other catalog; those that it does not have weigh nothing."""
        if not len(self.neighbours):
            return no_neighbours()
        place = np.full(len(self.ids), -1, np.int64)
        place[found[known]] = np.flatnonzero(known)
        moved = np.zeros((1 + len(found), self.neighbours.shape[1]), NEIGHBOUR_DTYPE)
        moved[0] = self.neighbours[0]  # The opening's; an item's is one behind its own.
        moved[1:][known] = self.neighbours[1:][found[known]]
        there = place[moved["item"]]
        moved["item"] = np.maximum(there, 0)
        moved["strength"][there < 0] = 0
        return moved


def read_items(path: Path) -> ReleasedItems:
    """Reads the file.

    Raises:
        ConfigError: it is missing or is no such file.
    """
    try:
        with np.load(path) as arrays:
            return ReleasedItems(
                ids=arrays["ids"].tolist(),
                texts=arrays["texts"].tolist(),
                text_vectors=arrays["text_vectors"],
                residuals=arrays["residuals"],
                neighbours=arrays["neighbours"],
                prior_mean=arrays["prior_mean"],
                offsets=arrays["offsets"],
            )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"release: {path} can't be read: {error}") from error
