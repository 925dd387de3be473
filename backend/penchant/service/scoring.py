"""The scores of a catalog, or of some candidates, for one user, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.search import top_k
from penchant.catalog.view import CatalogView
from penchant.domain.interest import direction, score
from penchant.domain.neighbours import near_all, near_some
from penchant.domain.ranking import RankRequest
from penchant.domain.types import Interest, Rows, UserState, Vector

_MINUS_INFINITY = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class Scored:
    """What may be shown, with its scores."""

    rows: Rows | None
    """The items, shape (n,); None: the whole catalog, so that each is at its own place."""
    scores: Vector
    """Minus infinity for what is left out, shape (n,)."""
    offsets: Vector
    """The offset's part of each score, as it stood when the score was made, shape (n,)."""
    unknown: list[str]

    def at(self, places: Rows) -> Rows:
        """The rows of the items at some places of the scores."""
        return places if self.rows is None else self.rows[places]


@dataclass(frozen=True, slots=True)
class Picked:
    """The best rows of one request with their scores, before anything is named."""

    rows: Rows
    scores: Vector
    offsets: Vector
    unknown: list[str]


def score_all(
    view: CatalogView,
    state: UserState,
    request: RankRequest,
    interest: Interest,
    query: Vector | None,
    owned: NDArray[np.uint32] | None = None,
) -> Scored:
    """Equation 5 of `domain.interest` over the candidates or the catalog."""
    settings = view.settings
    towards = direction(interest, query, settings)
    near_weight = np.float32(settings.near_weight)
    left_out = [] if owned is None else [owned]
    if request.exclude_seen:
        left_out.append(state.record.window["item"])
    if request.candidates is None:
        scores, offsets = score(view.vectors, view.offsets, towards, settings)
        if len(view.neighbours):
            scores += near_weight * near_all(view.neighbours, interest.recent, view.head.rows)
        _leave_out(scores, view, left_out)
        return Scored(None, scores, offsets, [])
    rows, unknown = view.split(request.candidates)
    vectors = view.vectors.take(rows, axis=0)
    scores, offsets = score(vectors, view.offsets.take(rows), towards, settings)
    if len(view.neighbours):
        scores += near_weight * near_some(view.neighbours, interest.recent, rows)
    for numbers in left_out:
        scores[np.isin(rows, numbers)] = _MINUS_INFINITY
    return Scored(rows, scores, offsets, unknown)


def best_of(scored: Scored, k: int) -> Picked:
    """The k highest scores, best first."""
    return pick(scored, top_k(scored.scores, k))


def pick(scored: Scored, places: Rows) -> Picked:
    """The items at some places, in their order."""
    return Picked(scored.at(places), scored.scores[places], scored.offsets[places], scored.unknown)


def _leave_out(scores: Vector, view: CatalogView, left_out: list[NDArray[np.uint32]]) -> None:
    if view.head.alive < view.head.rows:
        scores[~view.alive] = _MINUS_INFINITY
    for numbers in left_out:
        scores[numbers[numbers < view.head.rows]] = _MINUS_INFINITY
