"""The items of a release in one file: vectors, residuals, neighbours, prior, popularity, weights.

A server takes the vectors from the release instead of encoding the texts again, and one without a
log of its own starts from the items as they were learnt elsewhere.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, Neighbours, no_neighbours
from penchant.domain.recent_counts import RecentCounts, read_recent_counts
from penchant.domain.residuals import anchored
from penchant.domain.segments import SegmentPopularity, read_segment_popularity
from penchant.domain.types import Matrix, Vector
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.learnt_weights import learnt_settings


@dataclass(frozen=True, slots=True)
class ReleasedItems:
    """n items as the release learnt them."""

    ids: list[str]
    texts: list[str]
    text_vectors: Matrix
    """Vectors of the texts, shape (n, d), float32."""
    residuals: Matrix
    """Residuals learnt from the log, shape (n, d), float32."""
    neighbours: Neighbours
    """Neighbours by row of the ids, shape (1 + n, ...)."""
    prior_mean: Float64
    """Mean interest of the population, shape (d,)."""
    offsets: Vector
    """Offsets b_i as of the end of the log, shape (n,)."""
    popularity: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """What an item's popularity adds to its score, shape (n,), or empty for nothing."""
    learnt: Mapping[str, float | str] = field(default_factory=dict)
    """Settings of the fold that were learnt, by name; empty for a log too short to learn from."""
    segments: SegmentPopularity = field(default_factory=SegmentPopularity)
    """What the segments of a ranking's context add, by row of the ids."""
    tail: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """g_i of `penchant.domain.long_tail`, shape (n,), or empty for 0."""
    recent: RecentCounts = field(default_factory=RecentCounts)
    """What the live offsets are made of, by row of the ids."""

    def write(self, path: Path) -> None:
        """Writes the file; equal items give equal bytes."""
        arrays = {
            "ids": np.array(self.ids, np.str_),
            "texts": np.array(self.texts, np.str_),
            "text_vectors": self.text_vectors,
            "residuals": self.residuals,
            "neighbours": self.neighbours,
            "prior_mean": self.prior_mean,
            "offsets": self.offsets,
            "popularity": self.popularity,
            "learnt": np.array(json.dumps(dict(self.learnt), sort_keys=True), np.str_),
            "segments": np.array(self.segments.names_json, np.str_),
            "segment_entries": self.segments.entries,
            "tail": self.tail,
            **self.recent.arrays,
        }
        content = io.BytesIO()  # On a full disk, an archive that is not closed complains later.
        np.savez(content, **arrays)
        path.write_bytes(content.getbuffer())

    def refreshed(self, ids: list[str], texts: Matrix) -> RefreshedCatalog:
        """Moves what was learnt to another catalog; an unknown item keeps its text vector.

        Args:
            ids: ids of that catalog's items.
            texts: vectors of their texts, shape (m, d).
        """
        row = {id_: place for place, id_ in enumerate(self.ids)}
        found = np.array([row.get(id_, -1) for id_ in ids], np.int64)
        known = found >= 0
        residuals = np.zeros(texts.shape, np.float32)
        residuals[known] = self.residuals[found[known]]
        neighbours = self._moved(found, known)
        return RefreshedCatalog(
            anchored(texts, residuals),
            residuals,
            self.prior_mean,
            neighbours,
            learnt_settings(self.learnt),
            _values_at(found, known, self.popularity, 0.0),
            SegmentPopularity(self.segments.names, _moved_to(found, known, self.segments.entries)),
            _values_at(found, known, self.tail, 1.0),
            self.recent.moved(lambda values: _values_at(found, known, values, 0.0)),
        )

    def _moved(self, found: Int64, known: Mask) -> Neighbours:
        """Moves neighbours to the other catalog's rows; a neighbour that is not there weighs 0.

        Args:
            found: row of `ids` for each item of that catalog, -1 if unknown, shape (m,).
            known: whether the item is in `ids`, shape (m,).
        """
        if not len(self.neighbours):
            return no_neighbours()
        moved = np.zeros((1 + len(found), self.neighbours.shape[1]), NEIGHBOUR_DTYPE)
        moved[0] = self.neighbours[0]  # Row 0 is the opening's, so an item's row is its own plus 1.
        moved[1:][known] = self.neighbours[1:][found[known]]
        return _moved_to(found, known, moved)


def _values_at(found: Int64, known: Mask, values: Vector, others: float) -> Vector:
    """Values by row of the other catalog; an item that is not known gets `others`."""
    if not len(values):
        return values
    moved = np.full(len(found), others, np.float32)
    moved[known] = values[found[known]]
    return moved


def _moved_to(found: Int64, known: Mask, entries: Neighbours) -> Neighbours:
    """Entries whose items are rows of the other catalog; one that is not there weighs 0."""
    moved = entries.copy()
    place = np.full(1 + max(int(found.max(initial=0)), int(entries["item"].max(initial=0))), -1)
    place[found[known]] = np.flatnonzero(known)
    there = place[entries["item"]]
    moved["item"] = np.maximum(there, 0)
    moved["strength"][there < 0] = 0
    return moved


def read_items(path: Path) -> ReleasedItems:
    """Reads the file that `ReleasedItems.write` wrote.

    Raises:
        ConfigError: the file is missing, or is something else.
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
                # A release of an earlier version does not hold these.
                popularity=arrays.get("popularity", np.empty(0, np.float32)),
                learnt=json.loads(str(arrays.get("learnt", "{}"))),
                segments=read_segment_popularity(
                    str(arrays.get("segments", "[]")),
                    arrays.get("segment_entries", no_neighbours()),
                ),
                tail=arrays.get("tail", np.empty(0, np.float32)),
                recent=read_recent_counts(arrays),
            )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"release: {path} can't be read: {error}") from error
