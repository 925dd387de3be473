"""The fold alone, over random unit vectors."""

from __future__ import annotations

import numpy as np

from benchmarks.costs.cost_curve import CostedCall
from benchmarks.prepare import RandomEncoder
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Items, Prior, fold, prior_precision
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event
from penchant.domain.window import empty_record, entry, insert
from penchant.service.catalog_version import gram_of

_ITEMS = 500
_NOW_US = 1_700_000_000_000_000


def fold_call(*, window: int, dimensions: int) -> CostedCall:
    """A fold of so many events in so many dimensions."""
    settings = FoldSettings(window_events=window)
    vectors = RandomEncoder("0" * 16, dimensions).encode([""] * _ITEMS)
    entries = [
        entry(
            Event(f"{number:032x}", "u", "i", "like", None, _NOW_US - number * 1_000_000),
            number % _ITEMS,
            ResolvedSignal(1.0, 1.0, None),
        )
        for number in range(window)
    ]
    events = insert(empty_record(), entries, window).window
    items = Items(vectors[events["item"].astype(int)], np.ones(len(events), np.bool_))
    gram = gram_of(vectors, np.ones(_ITEMS, np.bool_))
    prior = Prior(prior_precision(gram, settings), np.zeros(dimensions))
    bucket = time_bucket(_NOW_US, settings)
    return lambda number: fold(prior, events, items, bucket, settings)
