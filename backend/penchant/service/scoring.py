"""The best items of a catalog, or of some candidates, for one user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.search import top_k
from penchant.catalog.view import CatalogView
from penchant.domain.interest import direction, score
from penchant.domain.neighbours import near_all, near_some
from penchant.domain.types import Interest, RankRequest, Rows, UserState, Vector

_MINUS_INFINITY = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class Scored:
    """The best rows of one request with their scores, before anything is named."""

    rows: Rows
    scores: Vector
    offsets: Vector
    """The offset's part of each score, as it stood when the score was made."""
    unknown: list[str]


def score_for(
    view: CatalogView,
    state: UserState,
    request: RankRequest,
    interest: Interest,
    query: Vector | None,
) -> Scored:
    """Equation 5 of `domain.interest` over the candidates or the catalog."""
    settings = view.settings
    towards = direction(interest, query, settings)
    near_weight = np.float32(settings.near_weight)
    seen = state.record.window["item"] if request.exclude_seen else None
    if request.candidates is None:
        scores, offsets = score(view.vectors, view.offsets, towards, settings)
        if len(view.neighbours):
            scores += near_weight * near_all(view.neighbours, interest.recent, view.head.rows)
        _leave_out(scores, view, seen)
        best = top_k(scores, request.k)
        return Scored(best, scores[best], offsets[best], [])
    rows, unknown = view.split(request.candidates)
    vectors = view.vectors.take(rows, axis=0)
    scores, offsets = score(vectors, view.offsets.take(rows), towards, settings)
    if len(view.neighbours):
        scores += near_weight * near_some(view.neighbours, interest.recent, rows)
    if seen is not None:
        scores[np.isin(rows, seen)] = _MINUS_INFINITY
    best = top_k(scores, request.k)
    return Scored(rows[best], scores[best], offsets[best], unknown)


def _leave_out(scores: Vector, view: CatalogView, seen: NDArray[np.uint32] | None) -> None:
    if view.head.alive < view.head.rows:
        scores[~view.alive] = _MINUS_INFINITY
    if seen is not None:
        scores[seen[seen < view.head.rows]] = _MINUS_INFINITY
