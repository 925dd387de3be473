"""Made-up logs of a shop with views, carts and purchases; which of them tell is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item, Matrix
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream
from tests.support.shop_log import write_csv

MINUTE_US = 60_000_000
FIRST_US = 1_600_000_000_000_000
CART = "complete"
"""Stands for carts: the signal of the default table between a view and a purchase."""

Rows = list[tuple[int, int, str]]


def unit_rows(items: int, dimensions: int = 8, seed: int = 0) -> Matrix:
    """Random vectors, which say nothing."""
    rows = np.random.default_rng(seed).standard_normal((items, dimensions))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def shop_rows(
    telling: Sequence[str],
    users: int = 80,
    items: int = 160,
    events: int = 6000,
    seed: int = 0,
    shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
) -> Rows:
    """Views, carts and purchases of (user, item); the telling signals follow the user's kind.

    Items are of eight kinds, and a user's kind changes now and then. Signals that tell are about
    items of the kind of the moment, the others about any item.
    """
    rng = np.random.default_rng(seed)
    kinds = 8
    kind = rng.integers(0, kinds, users)
    rows: Rows = []
    for _ in range(events):
        user = int(rng.integers(users))
        if rng.random() < 0.02:
            kind[user] = rng.integers(kinds)
        signal = ("view", CART, "purchase")[int(rng.choice(3, p=shares))]
        if signal in telling or signal == "purchase":
            item = int(rng.integers(items // kinds)) * kinds + int(kind[user])
        else:
            item = int(rng.integers(items))
        rows.append((user, item, signal))
    return rows


def write_shop_log(directory: Path, rows: Rows, items: int) -> list[object]:
    """The rows as files, ten minutes apart, and the options that name them."""
    named = write_csv(
        directory / "shop-items.csv",
        ("item_id", "text"),
        [(f"i{number}", f"item number {number}") for number in range(items)],
    )
    events = write_csv(
        directory / "shop-events.csv",
        ("user_id", "item_id", "signal", "timestamp"),
        [
            (f"u{user}", f"i{item}", signal, FIRST_US // 1_000_000 + 600 * place)
            for place, (user, item, signal) in enumerate(rows)
        ],
    )
    return ["--items", named, "--events", events]


def stream_of_rows(rows: Rows, items: int, relevant: str = "signal=purchase") -> Stream:
    """The rows as a stream, ten minutes apart."""
    events = [
        Event(f"e{place}", f"u{user}", f"i{item}", signal, None, FIRST_US + place * 10 * MINUTE_US)
        for place, (user, item, signal) in enumerate(rows)
    ]
    catalog = [Item(f"i{number}", f"item {number}") for number in range(items)]
    return make_stream(catalog, events, DEFAULT_SIGNALS, parse_relevance(relevant), LeftOut())
