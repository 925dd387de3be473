"""What a ranking shows of what was scored: the best, a diverse list, or an explored one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.catalog.search import top_k
from penchant.catalog.view import CatalogView
from penchant.domain.context import Slots
from penchant.domain.diversity import diversify, pool_size
from penchant.domain.exploration import (
    THOMPSON_DRAWS,
    THOMPSON_SHORTLIST,
    Drawn,
    EpsilonGreedy,
    Exploration,
    PlackettLuce,
    Thompson,
    epsilon_greedy,
    plackett_luce,
    thompson,
)
from penchant.domain.posterior import deviations
from penchant.domain.types import Window
from penchant.service.scoring import Picked, Scored, pick


@dataclass(frozen=True, slots=True)
class Explored:
    """A list that was drawn."""

    picked: Picked
    propensities: list[float]
    estimated: bool


def diverse(view: CatalogView, scored: Scored, k: int, diversity: float) -> Picked:
    """The list of `penchant.domain.diversity`."""
    pool = top_k(scored.scores, pool_size(k))
    vectors = view.vectors.take(scored.at(pool), axis=0)
    return pick(scored, pool[diversify(vectors, scored.scores[pool], k, diversity)])


@dataclass(frozen=True, slots=True)
class Explorer:
    """Whose interest is drawn, and as of when."""

    window: Window
    bucket: int
    """Of the fold's clock."""
    context: Slots
    """What the ranking is for, shape (5,)."""


def explore(
    view: CatalogView, explorer: Explorer, scored: Scored, k: int, exploration: Exploration
) -> Explored:
    """A list drawn by a policy of `penchant.domain.exploration`.

    Args:
        view: the catalog that was scored.
        explorer: the user.
        scored: what may be shown.
        k: places.
        exploration: the policy.
    """
    rng = np.random.default_rng(exploration.seed)
    scores = scored.scores.astype(np.float64)
    match exploration.policy:
        case PlackettLuce(temperature):
            drawn = plackett_luce(scores, k, temperature, rng)
        case EpsilonGreedy(epsilon):
            drawn = epsilon_greedy(scores, k, epsilon, rng)
        case Thompson(scale):
            drawn = _thompson(view, explorer, scored, k, scale, rng)
    picked = pick(scored, drawn.places)
    estimated = isinstance(exploration.policy, Thompson)
    return Explored(picked, drawn.propensities.tolist(), estimated)


def _thompson(
    view: CatalogView,
    explorer: Explorer,
    scored: Scored,
    k: int,
    scale: float,
    rng: np.random.Generator,
) -> Drawn:
    shortlist = top_k(scored.scores, max(k, THOMPSON_SHORTLIST))
    vectors = view.vectors.take(scored.at(shortlist), axis=0)
    away = deviations(
        view.prior,
        explorer.window,
        view.items_of(explorer.window),
        explorer.bucket,
        view.settings,
        explorer.context,
        max(k, THOMPSON_DRAWS),
        rng,
    )
    away *= scale * view.settings.slow_weight
    drawn = thompson(scored.scores[shortlist] + away.astype(np.float32) @ vectors.T, k)
    return Drawn(shortlist[drawn.places], drawn.propensities)
