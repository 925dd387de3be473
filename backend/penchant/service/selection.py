"""From scores to the k items of a ranking: the best, a diverse list, or an explored one."""

from __future__ import annotations

import numpy as np

from penchant.catalog.search import top_k
from penchant.catalog.view import CatalogView
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
from penchant.domain.types import Rows
from penchant.service.scoring import ScoredItems, TopK
from penchant.service.user_interest import UserInContext


def best_of(scored: ScoredItems, k: int) -> TopK:
    """The k highest scores, best first."""
    return _at(scored, top_k(scored.scores, k))


def diverse(view: CatalogView, scored: ScoredItems, k: int, diversity: float) -> TopK:
    """A list of k by `penchant.domain.diversity`; 0 is by score alone, 1 by difference alone."""
    pool = top_k(scored.scores, pool_size(k))
    vectors = view.vectors.take(scored.rows_at(pool), axis=0)
    return _at(scored, pool[diversify(vectors, scored.scores[pool], k, diversity)])


def explore(
    view: CatalogView, user: UserInContext, scored: ScoredItems, k: int, exploration: Exploration
) -> TopK:
    """A list of k drawn by a policy of `penchant.domain.exploration`, with its propensities."""
    rng = np.random.default_rng(exploration.seed)
    scores = scored.scores.astype(np.float64)
    match exploration.policy:
        case PlackettLuce(temperature):
            drawn = plackett_luce(scores, k, temperature, rng)
        case EpsilonGreedy(epsilon):
            drawn = epsilon_greedy(scores, k, epsilon, rng)
        case Thompson(scale):
            drawn = _thompson(view, user, scored, k, scale, rng)
    top = _at(scored, drawn.places)
    estimated = isinstance(exploration.policy, Thompson)
    propensities = drawn.propensities.tolist()
    return top._replace(propensities=propensities, propensity_estimated=estimated)


def _thompson(
    view: CatalogView,
    user: UserInContext,
    scored: ScoredItems,
    k: int,
    scale: float,
    rng: np.random.Generator,
) -> Drawn:
    shortlist = top_k(scored.scores, max(k, THOMPSON_SHORTLIST))
    vectors = view.vectors.take(scored.rows_at(shortlist), axis=0)
    drawn_interests = deviations(
        view.prior,
        user.window,
        view.items_of(user.window),
        user.bucket,
        view.settings,
        user.context,
        max(k, THOMPSON_DRAWS),
        rng,
    )
    drawn_interests *= scale * view.settings.slow_weight
    drawn_scores = scored.scores[shortlist] + drawn_interests.astype(np.float32) @ vectors.T
    drawn = thompson(drawn_scores, k)
    return Drawn(shortlist[drawn.places], drawn.propensities)


def _at(scored: ScoredItems, positions: Rows) -> TopK:
    """The items at some positions of the scores, in that order."""
    return TopK(scored.rows_at(positions), scored.scores[positions], scored.offsets[positions])
