"""The log that `penchant finetune --objective class` learns intents from.

Two users an intent, each of whom likes half of its sentences and dislikes others': from the likes
so far the objective asks for the sign of the next. Half of the dislikes are near misses: of several
sentences of other intents the one that shares most words with the like before it. At the end each
user likes some of the other half, which is what the training chooses its best weights by. Only
training sentences are in the log.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from penchant.training.home.corpus import Sentence
from penchant.training.home.sentence_templates import TRAIN

LIKES = 120
"""Of each user: sentences of a rare intent are repeated, those of a frequent one drawn."""
JUDGED = 10
"""Likes of each user that come last."""
_TRIED = 12
_LAST = 1_000_000


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row of the log."""

    user: str
    item: str
    """The sentence's text."""
    signal: str
    """like or dislike."""
    second: int
    """Epoch seconds; what is judged by comes after all that is learnt from."""


def lessons(
    sentences: Sequence[Sentence], seed: int = 0, words: Callable[[str], Iterable[str]] = str.split
) -> list[Lesson]:
    """The log, in time order.

    Args:
        sentences: of one language; only those of training are read.
        seed: of the draws.
        words: of a text, for the near misses.
    """
    rng = random.Random(seed)
    own = [sentence for sentence in sentences if sentence.part == TRAIN]
    bags = {one.text: frozenset(words(one.text.casefold())) for one in own}
    rows: list[Lesson] = []
    for intent in dict.fromkeys(sentence.intent for sentence in own):
        likes = [sentence.text for sentence in own if sentence.intent == intent]
        others = [sentence.text for sentence in own if sentence.intent != intent]
        rng.shuffle(likes)
        for user, half, rest in _halves(likes):
            name = f"{intent}/{user}"
            for place, like in enumerate(_cycled(half, LIKES, rng)):
                tried = rng.choices(others, k=_TRIED if place % 2 else 1)
                near = max(tried, key=lambda other: _overlap(bags[like], bags[other]))
                rows.append(Lesson(name, like, "like", 2 * place))
                rows.append(Lesson(name, near, "dislike", 2 * place + 1))
            judged = rng.sample(rest, min(JUDGED, len(rest)))
            rows += [Lesson(name, like, "like", _LAST + at) for at, like in enumerate(judged)]
    return sorted(rows, key=lambda row: row.second)


def _halves(likes: Sequence[str]) -> list[tuple[str, Sequence[str], Sequence[str]]]:
    """The two users with what each learns from, and what each is judged by."""
    first, second = likes[::2], likes[1::2]
    return [("a", first, second), ("b", second or first, first)]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index."""
    return len(one & other) / max(1, len(one | other))


def _cycled(texts: Sequence[str], count: int, rng: random.Random) -> list[str]:
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += rng.sample(texts, len(texts))
    return drawn[:count]
