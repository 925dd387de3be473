"""The scores of the catalog, or of some candidates, for one user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.view import CatalogView
from penchant.domain.beginners import beginners_part
from penchant.domain.interest import score, user_vector
from penchant.domain.neighbours import near_all, near_some, opening_share
from penchant.domain.repeats import Repeats, repeat_all, repeat_some
from penchant.domain.segments import SegmentShares, segment_all, segment_some
from penchant.domain.types import Interest, Rows, Vector

_MINUS_INFINITY = np.float32(-np.inf)

NumberArray = NDArray[np.uint32]


class ScoredItems(NamedTuple):
    """The scores of n items that may be shown. A tuple, for speed on the hot path."""

    rows: Rows | None
    """The items, shape (n,); None for the whole catalog, where position i is row i."""
    scores: Vector
    """Shape (n,); minus infinity for items that are left out."""
    offsets: Vector
    """The offset's part of each score at the time of scoring, shape (n,)."""
    unknown: list[str]
    """Candidates that the catalog does not hold."""

    def rows_at(self, positions: Rows) -> Rows:
        """The rows of the items at these positions of `scores`."""
        return positions if self.rows is None else self.rows[positions]


class TopK(NamedTuple):
    """The k items of a ranking, in order. A tuple, for speed on the hot path."""

    rows: Rows
    """Shape (k,)."""
    scores: Vector
    """Shape (k,)."""
    offsets: Vector
    """The offset's part of each score, shape (k,)."""
    propensities: list[float] | None = None
    """Chance of each item at its place, given the items above it; None: nothing was drawn."""
    propensity_estimated: bool = False


def score_all(
    view: CatalogView,
    interest: Interest,
    query: Vector | None = None,
    candidates: Sequence[str] | None = None,
    left_out: Sequence[NumberArray] = (),
    repeats: Repeats | None = None,
    segments: SegmentShares | None = None,
) -> ScoredItems:
    """Equation 5 of `domain.interest` for the candidates, or for the whole catalog.

    Args:
        view: the catalog.
        interest: the user's.
        query: the query's vector, shape (d,).
        candidates: item ids; None for the whole catalog.
        left_out: numbers of items that must not be shown.
        repeats: the user's; None: they have no weight.
        segments: of the ranking's context, a part of the offsets; None: they add nothing.
    """
    settings = view.settings
    vector = user_vector(interest, settings)
    near_weight = np.float32(settings.near_weight)
    begun = opening_share(interest.recent) if settings.weighs_beginners else 0.0
    if candidates is None:
        scores, offsets = score(
            view.vectors, view.offsets, view.offset_weights, view.popularity, vector
        )
        if begun:
            _add(beginners_part(view.offsets, view.tail, begun, settings), scores, offsets)
        if segments is not None:
            _add(segment_all(segments, view.head.rows), scores, offsets)
        if len(view.neighbours):
            scores += near_weight * near_all(view.neighbours, interest.recent, view.head.rows)
        if repeats is not None:
            scores += np.float32(settings.repeat_weight) * repeat_all(repeats, view.head.rows)
        if query is not None:
            scores += np.float32(settings.query_weight) * (view.texts @ query)
        if view.head.alive < view.head.rows:
            scores[~view.alive] = _MINUS_INFINITY
        for numbers in left_out:
            scores[numbers[numbers < view.head.rows]] = _MINUS_INFINITY
        return ScoredItems(None, scores, offsets, [])
    rows, unknown = view.find(candidates)
    vectors = view.vectors.take(rows, axis=0)
    weights, popularity = view.offset_weights.take(rows), view.popularity.take(rows)
    live = view.offsets.take(rows)
    scores, offsets = score(vectors, live, weights, popularity, vector)
    if begun:
        _add(beginners_part(live, view.tail.take(rows), begun, settings), scores, offsets)
    if segments is not None:
        _add(segment_some(segments, rows), scores, offsets)
    if len(view.neighbours):
        scores += near_weight * near_some(view.neighbours, interest.recent, rows)
    if repeats is not None:
        scores += np.float32(settings.repeat_weight) * repeat_some(repeats, rows)
    if query is not None:
        scores += np.float32(settings.query_weight) * (view.texts.take(rows, axis=0) @ query)
    for numbers in left_out:
        scores[np.isin(rows, numbers)] = _MINUS_INFINITY
    return ScoredItems(rows, scores, offsets, unknown)


def _add(part: Vector, scores: Vector, offsets: Vector) -> None:
    scores += part
    offsets += part
