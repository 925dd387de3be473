"""The log that teaches an encoder intents.

Each intent has two users; each user likes half of its sentences and dislikes those of others. Half
of the dislikes are near misses: of several sentences of other intents, the one that shares most
words with the preceding like. What commands nothing has two users, like an intent. In the end
each user likes some of the other half, by which training
chooses its best weights. The log holds only training sentences.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from penchant.training.home.corpus import NO_COMMAND, REPHRASED, Sentence
from penchant.training.home.sentence_templates import TRAIN

LIKES = 120
"""Likes per user: sentences of a rare intent are repeated, those of a frequent one drawn."""
VALIDATION_LIKES = 10
"""Maximum number of a user's last likes, from the half of the other user."""
_TRIED = 12
_LAST = 1_000_000


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """One row of the log."""

    user: str
    item: str
    """Text of the sentence."""
    signal: str
    """`like` or `dislike`."""
    second: int
    """Epoch seconds; validation likes come after all others."""


def training_log(
    sentences: Sequence[Sentence], seed: int = 0, words: Callable[[str], Iterable[str]] = str.split
) -> list[TrainingEvent]:
    """Makes the log of a language's training sentences, in time order.

    Args:
        sentences: sentences of one language; other parts are ignored.
        seed: seed of the draws.
        words: splits a text into words, to find near misses.
    """
    rng = random.Random(seed)
    own = [one for one in sentences if one.part in (TRAIN, REPHRASED, NO_COMMAND)]
    bags = {one.text: frozenset(words(one.text.casefold())) for one in own}
    rows: list[TrainingEvent] = []
    for intent in dict.fromkeys(sentence.intent for sentence in own):
        likes = [sentence.text for sentence in own if sentence.intent == intent]
        others = [sentence.text for sentence in own if sentence.intent != intent]
        rng.shuffle(likes)
        for user, own_half, other_half in _halves(likes):
            name = f"{intent}/{user}"
            for place, like in enumerate(_cycled(own_half, LIKES, rng)):
                tried = rng.choices(others, k=_TRIED if place % 2 else 1)
                near = max(tried, key=lambda other: _overlap(bags[like], bags[other]))
                rows.append(TrainingEvent(name, like, "like", 2 * place))
                rows.append(TrainingEvent(name, near, "dislike", 2 * place + 1))
            last = rng.sample(other_half, min(VALIDATION_LIKES, len(other_half)))
            rows += [TrainingEvent(name, like, "like", _LAST + at) for at, like in enumerate(last)]
    return sorted(rows, key=lambda row: row.second)


def _halves(likes: Sequence[str]) -> list[tuple[str, Sequence[str], Sequence[str]]]:
    """The two users of an intent, each with its own half of the likes and the other half."""
    first, second = likes[::2], likes[1::2]
    return [("a", first, second), ("b", second or first, first)]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard index of two sets of words."""
    return len(one & other) / max(1, len(one | other))


def _cycled(texts: Sequence[str], count: int, rng: random.Random) -> list[str]:
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += rng.sample(texts, len(texts))
    return drawn[:count]
