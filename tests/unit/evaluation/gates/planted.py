"""A log in which each user likes one kind of item, and vectors that may know the kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item, Matrix
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream

KINDS = ("coats", "shoes", "toys", "wine")
EACH = 20
"""Items per kind."""
USERS, LIKES = 60, 12
CONFIG = Config("memory:", Path("none"))
BUDGETS = Budgets(overall=0.01, min_rankings=20, min_users=5)
HALF = Validation(fraction=0.5)


def kind_of(item: int) -> int:
    return item % len(KINDS)


def planted_log() -> Stream:
    """720 likes in random order; an item's text holds its kind and a unique word."""
    random = np.random.default_rng(3)
    count = len(KINDS) * EACH
    items = [
        Item(f"i{n}", f"{KINDS[kind_of(n)]} word{n}", {"kind": KINDS[kind_of(n)]})
        for n in range(count)
    ]
    orders = [
        random.permutation([n for n in range(count) if kind_of(n) == user % len(KINDS)])
        for user in range(USERS)
    ]
    turns = random.permutation(np.repeat(np.arange(USERS), LIKES)).tolist()
    places = [0] * USERS
    events = []
    for moment, user in enumerate(turns):
        item = int(orders[user][places[user]])
        places[user] += 1
        at_us = 1_600_000_000_000_000 + moment * 3_600_000_000
        events.append(Event(f"e{moment}", f"u{user}", f"i{item}", "like", None, at_us))
    return make_stream(items, events, DEFAULT_SIGNALS, parse_relevance(POSITIVE), LeftOut())


def kind_vectors(unknown: tuple[str, ...] = ()) -> Matrix:
    """Unit vectors, similar within a kind; those of an unknown kind are orthogonal to all."""
    random = np.random.default_rng(4)
    count = len(KINDS) * EACH
    vectors = np.zeros((count, len(KINDS) + count), np.float32)
    for item in range(count):
        if KINDS[kind_of(item)] in unknown:
            vectors[item, len(KINDS) + item] = 1.0
            continue
        vectors[item, kind_of(item)] = 1.0
        vectors[item, len(KINDS) :] = 0.02 * random.standard_normal(count)
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


class WordLookup:
    """An encoder that looks up the words of a text; unknown words add nothing."""

    def __init__(self, known: dict[str, Matrix]) -> None:
        self._known = known

    def encode(self, texts: Sequence[str]) -> Matrix:
        width = len(next(iter(self._known.values())))
        rows = []
        for text in texts:
            row = sum((self._known.get(word, np.zeros(width)) for word in text.split()), [0.0])
            rows.append(np.asarray(row, np.float32) + np.float32(1e-3))
        matrix = np.stack(rows)
        unit: Matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
        return unit


def words(fragile: bool = False) -> WordLookup:
    """Knows each kind by its word; a fragile encoder needs it in lower case and without typos."""
    known: dict[str, Matrix] = {}
    for number, kind in enumerate(KINDS):
        forms = {kind} if fragile else {kind, kind.upper(), *_typos(kind)}
        known |= dict.fromkeys(forms, np.eye(len(KINDS), dtype=np.float32)[number])
    return WordLookup(known)


def _typos(word: str) -> set[str]:
    """The word with one letter dropped, doubled, swapped or replaced."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    places = range(len(word))
    fewer = {word[:at] + word[at + 1 :] for at in places}
    doubled = {word[:at] + 2 * word[at] + word[at + 1 :] for at in places}
    others = {word[:at] + letter + word[at + 1 :] for at in places for letter in letters}
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    return fewer | doubled | others | swapped


def side(encoder: WordLookup | Matrix, config: Config = CONFIG) -> Side:
    return Side(encoder, config)
