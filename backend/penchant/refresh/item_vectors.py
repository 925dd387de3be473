"""A refresh: from events and text vectors to item vectors, as a pure function.

    c_i = the item's row of the joint factors (`factors`), turned towards the texts
    r_i = (n_i / k) c_i              n_i likes of the item; none, no residual
    x_i = (t_i + r_i) / |t_i + r_i|  (`penchant.domain.residuals`)

So the item's own vector weighs n_i / (n_i + k), as an average shrunk towards its prior does. Beside
the vectors it finds which items people turn to next to which (`neighbours`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    """What the middle clock makes of a log."""

    vectors: Matrix
    """The items' vectors, shape (items, d), float32."""
    residuals: Matrix
    """What was added to the texts' vectors, shape (items, d), float32; zeros without events."""
    prior_mean: NDArray[np.float64]
    """The population's mean interest, shape (d,): zeros, since the offsets and the neighbours of
    the opening say it already."""
    neighbours: Neighbours
    """By row of the texts, shape (1 + items, ...)."""


def refresh(
    events: Interactions, texts: Matrix, settings: RefreshSettings | None = None
) -> RefreshedCatalog:
    """Fits item vectors to a log; deterministic, whatever the order of the events.

    Args:
        events: the log, or its part before some moment.
        texts: the texts' vectors, unit norm, shape (items, d).
        settings: default: `RefreshSettings()`.

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
