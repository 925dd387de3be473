"""Fits item vectors to events and text vectors, as a pure function of arrays.

    c_i = the item's row of the joint factors (`factors`), rotated towards the texts
    r_i = (n_i / k) c_i              n_i likes of the item, k the setting `shrinkage`
    x_i = (t_i + r_i) / |t_i + r_i|  (`penchant.domain.residuals`)

The item's own vector thus weighs n_i / (n_i + k), like an average that is shrunk towards its prior.
The fit also finds each item's neighbours, by co-occurrence (`neighbour_table`) and by regression
(`item_weights`, `transitions`), and the weights of the score's parts (`part_weights`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from penchant.config import Config
from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.long_tail import tail_share
from penchant.domain.neighbours import Neighbours
from penchant.domain.recent_counts import RecentCounts
from penchant.domain.residuals import anchored
from penchant.domain.segments import SegmentPopularity
from penchant.domain.signal_weights import write_signal_weights
from penchant.domain.types import Matrix, Vector
from penchant.logs.interactions import Interactions
from penchant.refresh.cooccurrence import (
    count_near,
    liked_in_order,
    mutual_information,
    row_sums,
    tie_order,
)
from penchant.refresh.factors import factorise, turn
from penchant.refresh.held_out import FittedItems, weighed_rewards
from penchant.refresh.item_popularity import POPULARITY_HALF_LIVES_S, popularity_of
from penchant.refresh.item_weights import find_item_weights
from penchant.refresh.learnt_weights import LEAST_RANKINGS, LearntWeights
from penchant.refresh.neighbour_table import combine, find_neighbours
from penchant.refresh.objective_weights import learn_for_objective
from penchant.refresh.offset_history import recent_counts_of
from penchant.refresh.part_weights import HELD_OUT
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.refresh.segment_popularity import segment_popularity_of
from penchant.refresh.signal_search import without_signals
from penchant.refresh.transitions import find_successors, find_transitions


@dataclass(frozen=True, slots=True)
class RefreshedCatalog:
    """The result of a fit."""

    vectors: Matrix
    """Item vectors, shape (items, d), float32, unit norm."""
    residuals: Matrix
    """Residuals, added to the text vectors, shape (items, d), float32; zero without events."""
    prior_mean: Float64
    """Mean interest of the population, shape (d,): zeros, since the offsets and the neighbours of
    the opening already hold it."""
    neighbours: Neighbours
    """Neighbours by row of the texts, shape (1 + items, ...)."""
    learnt: LearntWeights = field(default_factory=LearntWeights)
    """The weights of the score's parts."""
    popularity: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """What an item's popularity adds to its score until the next refresh, shape (items,), or empty
    for nothing."""
    segments: SegmentPopularity = field(default_factory=SegmentPopularity)
    """What the segments of a ranking's context add, by row of the texts."""
    tail: Vector = field(default_factory=lambda: np.empty(0, np.float32))
    """g_i of `penchant.domain.long_tail`, by row of the texts, or empty for 0."""
    recent: RecentCounts = field(default_factory=RecentCounts)
    """What the live offsets are made of, by row of the texts."""


def learn_catalog(
    events: Interactions,
    texts: Matrix,
    settings: RefreshSettings,
    config: Config,
    learnt: LearntWeights | None = None,
) -> RefreshedCatalog:
    """Fits item vectors to a log, and the weights of the score's parts to its latest events.

    Args:
        events: the log.
        texts: text vectors, shape (items, d), unit norm.
        settings: settings of the fit.
        config: the server's settings.
        learnt: weights that were learnt a moment ago and stay; None: they are learnt.

    Raises:
        ConfigError: an item's number is not a row of `texts`.

    Cost: with weights, that of `fit_item_vectors`; else twice that, and that of `learn_weights`.
    """
    if learnt is not None:
        return fit_item_vectors(events, texts, settings, learnt)
    ties = tie_order(events.item, events.at_us)
    order = np.lexsort((events.user, events.item, ties, events.at_us))
    log = events.taken(order)
    cut = int((1 - HELD_OUT) * len(order))
    if np.count_nonzero(log.reward[cut:] > 0) < LEAST_RANKINGS:
        return fit_item_vectors(events, texts, settings)
    refit = partial(fit_for_weights, texts=texts, settings=settings)
    learnt = learn_for_objective(log, cut, refit, config)
    return fit_item_vectors(events, texts, settings, learnt)


def fit_for_weights(events: Interactions, texts: Matrix, settings: RefreshSettings) -> FittedItems:
    """The part of a fit that the score's weights are learnt with; see `fit_item_vectors`."""
    return _fit(events, texts, settings).items


def fit_item_vectors(
    events: Interactions,
    texts: Matrix,
    settings: RefreshSettings | None = None,
    learnt: LearntWeights | None = None,
) -> RefreshedCatalog:
    """Fits item vectors to a log; deterministic, whatever the order of the events.

    Args:
        events: the log, or a part of it.
        texts: text vectors, shape (items, d), unit norm.
        settings: settings of the fit; default: `RefreshSettings()`.
        learnt: weights of the score's parts; default: those of a log too short to learn from.

    Raises:
        ConfigError: an item's number is not a row of `texts`.

    Cost: O(likes w) to count; about a hundred to a few hundred sparse products to factorise; that
    of `find_item_weights` and of `find_transitions`.
    """
    weights = learnt or LearntWeights()
    fit = _fit(without_signals(events, weights.dropped), texts, settings or RefreshSettings())
    rewards = weighed_rewards(events, write_signal_weights(weights.signals))

    def popular(half_life_s: float) -> Vector:
        return popularity_of(events.item, rewards, events.at_us, len(texts), half_life_s)

    popularity = np.empty(0, np.float32)
    if weights.popularity:
        popularity = np.float32(weights.popularity) * popular(weights.popularity_half_life_s)
    opening = np.zeros(len(texts), np.float32)
    for factor, half_life_s in zip(
        weights.opening_popularity, POPULARITY_HALF_LIVES_S, strict=True
    ):
        if factor:
            opening += np.float32(factor) * popular(half_life_s)
    tail = np.empty(0, np.float32)
    if weights.weighs_tail:
        tail = tail_share(np.bincount(events.item, minlength=len(texts)))
    recent = RecentCounts()
    if weights.offsets_are_faster:
        order = np.lexsort((events.user, events.item, events.at_us))
        recent = recent_counts_of(events.taken(order), len(texts), *weights.offset_half_lives_s)
    tables = [
        (fit.items.item_weights, weights.item_weights),
        (fit.items.transitions, weights.transitions),
        (fit.items.successors, weights.successors),
    ]
    return RefreshedCatalog(
        vectors=fit.items.vectors,
        residuals=fit.residuals,
        prior_mean=np.zeros(texts.shape[1]),
        neighbours=combine(fit.items.near, weights.near, tables, weights.opening, opening),
        learnt=weights,
        popularity=popularity,
        segments=segment_popularity_of(events, rewards, len(texts), weights.segments),
        tail=tail,
        recent=recent,
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    items: FittedItems
    residuals: Matrix


def _fit(events: Interactions, texts: Matrix, chosen: RefreshSettings) -> _Fit:
    items = len(texts)
    if len(events.item) and not 0 <= events.item.min() <= events.item.max() < items:
        found = f"{events.item.min()} to {events.item.max()}"
        raise ConfigError(f"items: got numbers {found}, expected 0 to {items - 1}, rows of texts")
    user, item = liked_in_order(events.user, events.item, events.reward, events.at_us)
    pairs = count_near(user, item, items, chosen.window)
    likes = np.bincount(item, minlength=items) * (row_sums(pairs) > 0)
    residuals = np.zeros(texts.shape, np.float32)
    if pairs.nnz:
        factors = factorise(mutual_information(pairs), texts, chosen.text_weight)
        known = likes / (likes + chosen.shrinkage)
        own = turn(factors, texts, known)
        residuals = (own * (likes / chosen.shrinkage)[:, None]).astype(np.float32)
    near = find_neighbours(user, item, items)
    item_weights = find_item_weights(user, item, items)
    transitions = find_transitions(user, item, items)
    successors = find_successors(user, item, items)
    vectors = anchored(texts, residuals)
    return _Fit(FittedItems(vectors, near, item_weights, transitions, successors), residuals)
