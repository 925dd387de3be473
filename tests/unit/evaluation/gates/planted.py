"""A log in which each user likes one kind of item, and vectors that know the kinds, or don't."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.signals.default import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item, Matrix
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.side import Side
from penchant.evaluation.gates.validation import Validation
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream

KINDS = ("coats", "shoes", "toys", "wine")
EACH = 20
"""Items of a kind."""
USERS, LIKES = 60, 12
CONFIG = Config("memory:", Path("none"))
BUDGETS = Budgets(overall=0.01, min_rankings=20, min_users=5)
HALF = Validation(fraction=0.5)


def kind_of(item: int) -> int:
    return item % len(KINDS)


def planted_log() -> Stream:
    """720 likes in random turns; an item's text says its kind and a word of its own."""
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
    """Unit vectors, alike within a kind; those of an unknown kind are alike to nothing."""
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


class Words:
    """An encoder that looks a text's words up; a word that it does not know says nothing."""

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


def words(fragile: bool = False) -> Words:
    """Knows each kind by its word; fragile: only in small letters and without a slip."""
    known: dict[str, Matrix] = {}
    for number, kind in enumerate(KINDS):
        forms = {kind} if fragile else {kind, kind.upper(), *_slips(kind)}
        known |= dict.fromkeys(forms, np.eye(len(KINDS), dtype=np.float32)[number])
    return Words(known)


def _slips(word: str) -> set[str]:
    """The word with one letter fewer, doubled, swapped or another."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    places = range(len(word))
    fewer = {word[:at] + word[at + 1 :] for at in places}
    doubled = {word[:at] + 2 * word[at] + word[at + 1 :] for at in places}
    others = {word[:at] + letter + word[at + 1 :] for at in places for letter in letters}
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    return fewer | doubled | others | swapped


def side(encoder: Words | Matrix, config: Config = CONFIG) -> Side:
    return Side(encoder, config)
