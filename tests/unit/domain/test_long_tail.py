"""Laws of the weights of items with few events."""

from __future__ import annotations

import numpy as np

from penchant.domain.long_tail import (
    FEW,
    tail_share,
    weighed_tail,
    whole_tail,
)
from penchant.domain.settings import FoldSettings

TAIL = tail_share(np.arange(20))


def test_the_share_falls_with_every_event_from_one_to_next_to_nothing() -> None:
    assert TAIL[0] == 1
    assert (np.diff(TAIL) < 0).all()
    assert TAIL[FEW - 1] > 0.5 > TAIL[FEW]
    assert TAIL[10] < 0.05


def test_an_item_put_since_the_refresh_counts_as_one_without_events() -> None:
    assert whole_tail(TAIL[:3], 5).tolist() == [*TAIL[:3].tolist(), 1.0, 1.0]
    assert whole_tail(TAIL, 4).tolist() == TAIL[:4].tolist()


def test_without_a_refresh_all_items_weigh_alike() -> None:
    tail = whole_tail(np.empty(0, np.float32), 3)
    settings = FoldSettings(offset_weight=0.5, tail_offset_weight=2.0, tail_lift=1.0)
    weights, popularity = weighed_tail(np.array([1.0, 2.0, 3.0], np.float32), tail, settings)
    assert weights.tolist() == [0.5, 0.5, 0.5]
    assert popularity.tolist() == [1.0, 2.0, 3.0]
