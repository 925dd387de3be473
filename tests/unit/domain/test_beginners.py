"""Laws of what popularity adds for users with a short history."""

from __future__ import annotations

import numpy as np

from penchant.domain.beginners import beginners_part
from penchant.domain.long_tail import tail_share, weighed_tail
from penchant.domain.settings import FoldSettings

TAIL = tail_share(np.arange(3))
POPULARITY, OFFSETS = np.array([1.0, 2.0, 3.0], np.float32), np.array([0.5, -1, 2], np.float32)


def test_a_stranger_gets_none_of_the_tails_weights() -> None:
    settings = FoldSettings(offset_weight=0.5, tail_offset_weight=2.0, tail_lift=1.0)
    weights, raised = weighed_tail(POPULARITY, TAIL, settings)
    part = beginners_part(OFFSETS, TAIL, 1.0, settings)
    plain = settings.offset_weight * OFFSETS + POPULARITY
    np.testing.assert_allclose(weights * OFFSETS + raised + part, plain, rtol=1e-6)


def test_live_popularity_counts_more_for_a_stranger_until_that_has_faded() -> None:
    settings = FoldSettings(opening_offset_weight=3.0)
    assert beginners_part(OFFSETS, TAIL, 1.0, settings).tolist() == (3 * OFFSETS).tolist()
    assert beginners_part(OFFSETS, TAIL, 0.0, settings).tolist() == [0.0, 0.0, 0.0]
