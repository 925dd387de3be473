"""Small streams, and recommenders simple enough to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import (
    Context,
    Event,
    Item,
    Vector,
)
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, make_stream

HOUR_US = 3_600_000_000
FIRST_US = 1_600_000_000_000_000
SIGNALS = ("like", "click", "skip", "dislike", "impression")


def stream_of(
    pairs: Sequence[tuple[int, int]], items: int, signals: Sequence[str] = (), relevant: str = ""
) -> Stream:
    """A stream of (user, item) events two hours apart: likes, unless signals are given."""
    events = [
        Event(
            event_id=f"e{place}",
            user=f"u{user}",
            item=f"i{item}",
            signal=signals[place] if signals else "like",
            value=None,
            occurred_at_us=FIRST_US + 2 * place * HOUR_US,
        )
        for place, (user, item) in enumerate(pairs)
    ]
    catalog = [Item(f"i{number}", f"item {number} of kind {number % 5}") for number in range(items)]
    relevance = parse_relevance(relevant or POSITIVE)
    return make_stream(catalog, events, DEFAULT_SIGNALS, relevance, LeftOut())


def random_stream(seed: int, events: int, users: int = 6, items: int = 40) -> Stream:
    """A stream of random users, items and signals; users may meet an item again."""
    random = np.random.default_rng(seed)
    pairs = list(
        zip(random.integers(0, users, events), random.integers(0, items, events), strict=True)
    )
    signals = [SIGNALS[number] for number in random.integers(0, len(SIGNALS), events)]
    return stream_of([(int(user), int(item)) for user, item in pairs], items, signals)


def with_other_item(stream: Stream, position: int, item: int) -> Stream:
    """The same stream with another item in one event."""
    numbers = stream.item.copy()
    numbers[position] = item
    events = list(stream.events)
    events[position] = replace(events[position], item=stream.items[item].id)
    return replace(stream, item=numbers, events=tuple(events))


class Counts:
    """Ranks items by their number of events, and records its calls."""

    name = "counts"

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def fit(self, stream: Stream, until: int) -> None:
        self.calls.append(("fit", until))
        self._stream = stream
        self._counts = np.bincount(stream.item[:until], minlength=len(stream.items))

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        self.calls.append(("scores", user))
        return self._counts.astype(np.float32)

    def learn(self, position: int) -> None:
        self.calls.append(("learn", position))
        self._counts[self._stream.item[position]] += 1


class Fixed(Counts):
    """Always returns the same scores."""

    name = "fixed"

    def __init__(self, scores: Sequence[float]) -> None:
        super().__init__()
        self._scores = np.array(scores, np.float32)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        return self._scores


class Cheat(Counts):
    """Looks ahead: ranks by the whole stream."""

    name = "cheat"

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        later = np.bincount(self._stream.item, minlength=len(self._stream.items))
        return later.astype(np.float32)
