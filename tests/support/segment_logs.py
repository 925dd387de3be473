"""Made-up logs of short-lived users whose attributes tell what they like, or nothing."""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Int64
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.interactions import ContextValues, Interactions
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream

COUNTRIES = ("de", "fr", "jp", "us")
ITEMS = 80
HOUR_US = 3_600_000_000
FIRST_US = 1_600_000_000_000_000


def drawn(users: int = 600, events: int = 3, seed: int = 0, *, tells: bool = True) -> Int64:
    """Country, user and item of each event, in time order, shape (users * events, 3).

    Users come one after the other and leave after a few events; all that they like is what is
    popular in their country, or what is popular anywhere.
    """
    rng = np.random.default_rng(seed)
    own = ITEMS // len(COUNTRIES)
    chances = 1 / np.arange(1, own + 1)
    rows = []
    for user in range(users):
        country = int(rng.integers(len(COUNTRIES)))
        liked = rng.choice(own, events, replace=False, p=chances / chances.sum())
        of = country if tells else int(rng.integers(len(COUNTRIES)))
        rows += [(country, user, of * own + int(item)) for item in liked]
    return np.array(rows, np.int64)


def interactions_of_rows(rows: Int64, key: str = "country") -> Interactions:
    """The events as a refresh reads them, an hour apart."""
    return Interactions(
        user=rows[:, 1],
        item=rows[:, 2],
        reward=np.ones(len(rows)),
        at_us=FIRST_US + np.arange(len(rows)) * HOUR_US,
        context={key: ContextValues(rows[:, 0], COUNTRIES)},
    )


def stream_of_rows(rows: Int64, *, with_context: bool = True) -> Stream:
    """The events as a stream of likes, an hour apart."""
    events = [
        Event(
            f"e{place}",
            f"u{user}",
            f"i{item}",
            "like",
            None,
            FIRST_US + place * HOUR_US,
            context=(("country", COUNTRIES[country]),) if with_context else (),
        )
        for place, (country, user, item) in enumerate(rows.tolist())
    ]
    catalog = [Item(f"i{number}", f"item {number}") for number in range(ITEMS)]
    return make_stream(catalog, events, DEFAULT_SIGNALS, parse_relevance("reward>0"), LeftOut())
