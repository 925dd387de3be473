"""Does a call cost more where the store holds more users?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, CostedCall, exact_curve, measured_curve
from benchmarks.costs.costed_app import CostedApp, costed_app, decades, used_bytes

SIZES = (100, 1_000, 10_000, 100_000)
ITEMS = 1000


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """Ranking and feedback of random users, whose records no cache holds, and bytes a user."""
    sizes = decades(SIZES, quick)
    with ExitStack() as stack:
        apps = {
            size: stack.enter_context(costed_app(place / f"u{size}", items=ITEMS, users=size))
            for size in sizes
        }
        yield measured_curve(
            "rank of 100 candidates", "users", {n: _rank(app) for n, app in apps.items()}, rounds
        )
        yield measured_curve(
            "feedback of one event", "users", {n: _feed(app) for n, app in apps.items()}, rounds
        )
    empty = place / "nobody"
    with costed_app(empty, items=ITEMS):
        pass
    without = used_bytes(empty)
    kept = {size: (used_bytes(place / f"u{size}") - without) / size for size in sizes}
    yield exact_curve("bytes a user of 30 events, 3 of them in the log", "users", kept)


def _rank(app: CostedApp) -> CostedCall:
    return app.rankings(candidates=100)


def _feed(app: CostedApp) -> CostedCall:
    return lambda number: app.feed(app.anybody())
