"""The catalog's texts as careless hands leave them: each item's changed in one of three ways.

The rankings are looked at as a whole, not by what changed their item: an item whose text an encoder
reads as before gains where its rivals' were changed more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penchant.evaluation.text_noise import in_capitals, shuffled_list, with_typos

TYPO_RATE = 0.05
"""The share of the letters."""


def careless(texts: Sequence[str], seed: int) -> tuple[str, ...]:
    """A third of the texts with typos, a third in capitals, a third with their lists shuffled.

    Which, and how, is drawn by the seed: equal seeds, equal texts.

    >>> careless(["Heat (1995). Crime, Drama", "Toy Story (1995). Comedy"], seed=1)
    ('Heat (1995). Crime, Drrama', 'TOY STORY (1995). COMEDY')
    """
    kinds = np.random.default_rng(seed).permutation(len(texts)) % 3
    return tuple(
        _changed(text, kind, seed) for text, kind in zip(texts, kinds.tolist(), strict=True)
    )


def _changed(text: str, kind: int, seed: int) -> str:
    if kind == 0:
        return with_typos(text, TYPO_RATE, seed)
    return in_capitals(text) if kind == 1 else shuffled_list(text, seed)
