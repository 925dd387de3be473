"""Brand safety: which pages are about a topic beside which a campaign must not be shown.

A page is about a topic if the encoder's vectors of the two are close. The whole text and each of
its sentences are compared, since one sentence may tell what the page is about. The threshold is
measured (`docs/measurements/ads.md`).

>>> passages("Rain at noon. A jet fell into the sea.")
['Rain at noon. A jet fell into the sea.', 'Rain at noon.', 'A jet fell into the sea.']
>>> closest([(1.0, 0.0), (0.6, 0.8)], (0.0, 1.0))
0.8
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

THRESHOLD = 0.3
"""Cosine from which a page is about a topic, for the default encoder."""
_MOST_PASSAGES = 16
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")


def passages(page_text: str) -> list[str]:
    """The texts of a page that are compared with topics: all of it, and its first sentences."""
    sentences = [one.strip() for one in _SENTENCE.split(page_text) if one.strip()]
    return [page_text, *(sentences[: _MOST_PASSAGES - 1] if len(sentences) > 1 else [])]


def closest(page: Iterable[Sequence[float]], topic: Sequence[float]) -> float:
    """The largest cosine of a page's vectors with a topic's; all have unit length."""
    return max(math.fsum(a * b for a, b in zip(one, topic, strict=True)) for one in page)
