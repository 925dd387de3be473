"""A log of news: articles are read for some days and then never again, and every reader is new."""

from __future__ import annotations

import numpy as np

ARTICLE_EVERY = 25
"""Events after which the next article appears."""


def news(events: int, seed: int = 5) -> list[tuple[int, int]]:
    """Pairs of user and article, in time order; the first articles stand for all older ones."""
    rng = np.random.default_rng(seed)
    newest = np.arange(events) // ARTICLE_EVERY
    return list(enumerate(np.maximum(0, newest - rng.geometric(0.2, events)).tolist()))
