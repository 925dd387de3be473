"""Fits item vectors to events and text vectors, as a pure function of arrays.

    c_i = the item's row of the joint factors (`factors`), rotated towards the texts
    r_i = (n_i / k) c_i              n_i likes of the item, k the setting `shrinkage`
    x_i = (t_i + r_i) / |t_i + r_i|  (`penchant.domain.residuals`)

The item's own vector thus weighs n_i / (n_i + k), like an average that is shrunk towards its prior.
The fit also finds each item's neighbours (`neighbour_table`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.neighbours import Neighbours
from penchant.domain.residuals import anchored
from penchant.domain.types import Matrix
from penchant.logs.interactions import Interactions
from penchant.refresh.cooccurrence import (
    count_near,
    liked_in_order,
    mutual_information,
    row_sums,
)
from penchant.refresh.factors import factorise, turn
from penchant.refresh.neighbour_table import find_neighbours
from penchant.refresh.refresh_settings import RefreshSettings


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


def fit_item_vectors(
    events: Interactions, texts: Matrix, settings: RefreshSettings | None = None
) -> RefreshedCatalog:
    """Fits item vectors to a log; deterministic, whatever the order of the events.

    Args:
        events: the log, or a part of it.
        texts: text vectors, shape (items, d), unit norm.
        settings: settings of the fit; default: `RefreshSettings()`.

    Raises:
        ConfigError: an item's number is not a row of `texts`.

    Cost: O(likes w) to count; about a hundred to a few hundred sparse products to factorise.
    """
    chosen = settings or RefreshSettings()
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
    prior_mean = np.zeros(texts.shape[1])
    neighbours = find_neighbours(user, item, items)
    return RefreshedCatalog(anchored(texts, residuals), residuals, prior_mean, neighbours)
