"""The log that `penchant finetune --objective class` learns intents from.

One user an intent, who likes its sentences and dislikes others': from the likes so far the
objective asks for the sign of the next. Half of the dislikes are near misses: of several sentences
of other intents the one that shares most words with the like before it. The validation templates'
sentences come last in time, so they are what the training chooses its best weights by.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from penchant.offline.home.corpus import Sentence
from penchant.offline.home.templates import TRAIN, VALIDATION

LIKES_PER_INTENT = 240
"""Sentences of a rare intent are repeated, those of a frequent one drawn, up to this."""
_TRIED = 12


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row of the log."""

    user: str
    item: str
    """The sentence's text."""
    signal: str
    """like or dislike."""
    second: int
    """Epoch seconds; all training comes before all validation."""


def lessons(
    sentences: Sequence[Sentence], seed: int = 0, words: Callable[[str], Iterable[str]] = str.split
) -> list[Lesson]:
    """The log, in time order.

    Args:
        sentences: of one language, all parts; only training and validation are read.
        seed: of the draws.
        words: of a text, for the near misses.
    """
    rng = random.Random(seed)
    rows: list[Lesson] = []
    for part, begin in ((TRAIN, 0), (VALIDATION, 1_000_000)):
        own = [sentence for sentence in sentences if sentence.part == part]
        bags = {one.text: frozenset(words(one.text.casefold())) for one in own}
        for intent in dict.fromkeys(sentence.intent for sentence in own):
            likes = [sentence.text for sentence in own if sentence.intent == intent]
            others = [sentence.text for sentence in own if sentence.intent != intent]
            count = LIKES_PER_INTENT if part == TRAIN else len(likes)
            for place, like in enumerate(_cycled(likes, count, rng)):
                tried = rng.choices(others, k=_TRIED if place % 2 else 1)
                near = max(tried, key=lambda other: _overlap(bags[like], bags[other]))
                second = begin + 2 * place
                rows.append(Lesson(intent, like, "like", second))
                rows.append(Lesson(intent, near, "dislike", second + 1))
    return sorted(rows, key=lambda row: row.second)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index."""
    return len(one & other) / max(1, len(one | other))


def _cycled(texts: Sequence[str], count: int, rng: random.Random) -> list[str]:
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += rng.sample(texts, len(texts))
    return drawn[:count]
