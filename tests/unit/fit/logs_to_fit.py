"""Made-up logs for fits: a shop of kinds, with signals, sessions and repeats at will."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.shop_log import write_csv
from tests.support.word_encoder import write_word_encoder

KINDS = ("lamp", "tent", "book", "boat")
DAY_S = 86_400


def write_log(
    directory: Path,
    *,
    users: int = 60,
    items: int = 60,
    events: int = 1200,
    repeat: float = 0.0,
    step_s: int = 600,
    seed: int = 1,
) -> list[object]:
    """Files of items and events, and an encoder; returns the options that name them.

    Each user likes one kind; `repeat` is the share of events about an item liked before.
    """
    random = np.random.default_rng(seed)
    texts = [f"a {KINDS[number % len(KINDS)]} of make {number // 4}" for number in range(items)]
    rows = []
    liked: dict[int, list[int]] = {}
    for place in range(events):
        user = int(random.integers(users))
        own = liked.setdefault(user, [])
        if own and random.random() < repeat:
            item = own[int(random.integers(len(own)))]
        else:
            of_kind = range(user % len(KINDS), items, len(KINDS))
            anything = random.random() < 0.2
            choice = range(items) if anything else of_kind
            item = choice[int(random.integers(len(choice)))]
        own.append(item)
        rows.append((f"u{user}", f"i{item}", "like", 1_700_000_000 + place * step_s))
    named = [(f"i{number}", text) for number, text in enumerate(texts)]
    write_csv(directory / "items.csv", ("item_id", "text"), named)
    write_csv(directory / "events.csv", ("user", "item", "signal", "timestamp"), rows)
    encoder = directory / "words"
    if not encoder.exists():
        write_word_encoder(encoder, texts, dimensions=16, seed=2)
    return [
        *("--items", directory / "items.csv", "--events", directory / "events.csv"),
        *("--encoder", encoder),
    ]
