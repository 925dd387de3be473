"""What does an event take in the log?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, exact_curve
from benchmarks.costs.costed_app import costed_app, decades, used_bytes

SIZES = (100, 1_000, 10_000, 100_000)
ITEMS, USERS, CALL = 1000, 50, 1000


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """Bytes that the store grows by an event of users whose windows are full."""
    del rounds
    sizes = decades(SIZES, quick)
    kept = {}
    settings = {"window_events": "10"}
    for size in sizes:
        store = place / f"e{size}"
        with costed_app(store, items=ITEMS, settings=settings) as app:
            for user in range(USERS):
                app.feed(f"user-{user}", 10)
        before = used_bytes(store)
        with costed_app(store, items=ITEMS, settings=settings) as app:
            left = size
            while left:
                app.feed(f"user-{left % USERS}", min(CALL, left))
                left -= min(CALL, left)
        kept[size] = max((used_bytes(store) - before) / size, 1.0)
    yield exact_curve("bytes an event in the log", "events", kept)
