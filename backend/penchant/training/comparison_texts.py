"""Texts on which two forms of an encoder are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def comparison_texts() -> list[str]:
    """96 texts of all lengths and several scripts, some with hardly any content."""
    words = "red lamp 1995 drama, comedy! Größe 東京 кино सेब 🎬 don't a-b x1 of by".split()  # noqa: SIM905  # Shorter to read than a list.
    sparse = ["", "\u200b\x00", " \t\n", "!?", "a", "東京タワー", "e\u0301 é", "🎬🎬", "<b>&amp;"]
    random = np.random.default_rng(0)
    lengths = [*range(1, 65), 80, 100, 127, 128, 129, 200, 511, 512, 600]
    sentences = [" ".join(random.choice(words, size)) for size in lengths]
    repeats = [f"Item {number}: {words[number]}" for number in range(14)]
    return [*sparse, *sentences, *repeats]


def evenly_spread(texts: Sequence[str], most: int) -> list[str]:
    """Up to `most` of the texts, from the first to the last at even distances.

    >>> evenly_spread("abcdefg", 3)
    ['a', 'd', 'g']
    """
    count = min(len(texts), most)
    places = np.linspace(0, len(texts) - 1, count).round().astype(int)
    return [texts[place] for place in places]
