"""Noisy texts of the catalog: each item's text is changed in one of three ways.

Rankings are judged together, not by the way their item was changed: an item gains if the encoder
reads its noisy text better than those of its rivals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penchant.evaluation.text_noise import in_capitals, shuffled_list, with_typos

TYPO_RATE = 0.05
"""Share of the letters that are changed."""


def noisy_texts(texts: Sequence[str], seed: int) -> tuple[str, ...]:
    """Texts with typos (a third), in capitals (a third) or with shuffled lists (a third).

    The seed draws which, and how: equal seeds give equal texts.

    >>> noisy_texts(["Heat (1995). Crime, Drama", "Toy Story (1995). Comedy"], seed=1)
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
