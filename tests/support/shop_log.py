"""The log of a small shop: three kinds of clothes, and users who each want one kind."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.support.word_encoder import write_word_encoder

KINDS = ("shoes", "dress", "coat")
ITEMS, USERS, EVENTS = 30, 12, 400


def write_csv(path: Path, heading: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heading)
        writer.writerows(rows)
    return path


def write_shop(directory: Path, *, rooms: bool = False) -> list[object]:
    """The files, and the options that name them.

    With rooms, what a user wants depends on the room of the event's context.
    """
    random = np.random.default_rng(1)
    texts = [f"a {KINDS[number % 3]} number {number}" for number in range(ITEMS)]
    items = write_csv(directory / "items.csv", ("item_id", "text"), list(enumerate(texts)))
    rows = []
    for at_s in range(EVENTS):
        user, item = int(random.integers(USERS)), int(random.integers(ITEMS))
        room = int(random.integers(2)) if rooms else 0
        wanted = item % 3 == (user + room) % 3
        row = (user, item, 5 if wanted else 1, 1_600_000_000 + at_s * 3600)
        rows.append((*row, ("hall", "den")[room]) if rooms else row)
    heading = ["user_id", "item_id", "rating", "timestamp"]
    heading += ["context.room"] if rooms else []
    events = write_csv(directory / "events.csv", heading, rows)
    encoder = write_word_encoder(directory / "encoder", texts, dimensions=16, seed=2)
    return ["--items", items, "--events", events, "--encoder", encoder, "--candidates", "all"]
