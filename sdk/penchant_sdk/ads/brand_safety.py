"""Brand safety: whether a page is about a topic beside which a campaign must not be shown.

A page is about a topic if the encoder's vectors of the page's text and of the topic's words are
close. The threshold is measured (`docs/measurements/ads.md`).

>>> is_about((0.6, 0.8), (0.0, 1.0), THRESHOLD), is_about((1.0, 0.0), (0.0, 1.0), THRESHOLD)
(True, False)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

THRESHOLD = 0.55
"""Cosine from which a page is about a topic, for the default encoder."""


def is_about(page: Sequence[float], topic: Sequence[float], threshold: float) -> bool:
    """Whether two vectors of unit length have a cosine of the threshold or more."""
    return math.fsum(a * b for a, b in zip(page, topic, strict=True)) >= threshold
