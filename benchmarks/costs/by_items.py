"""Does a call cost more where the catalog holds more items, and what does an item take?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, CostedCall, exact_curve, measured_curve
from benchmarks.costs.costed_app import (
    CostedApp,
    catalog_bytes,
    costed_app,
    decades,
    used_bytes,
)

SIZES = (100, 1_000, 10_000, 100_000)
USERS = 200


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """Rankings of the whole catalog and of 100 candidates, feedback, and bytes an item."""
    sizes = decades(SIZES, quick)
    with ExitStack() as stack:
        apps = {
            size: stack.enter_context(costed_app(place / f"i{size}", items=size, users=USERS))
            for size in sizes
        }
        for what, make in (
            ("rank, whole catalog", _whole),
            ("rank of 100 candidates", _chosen),
            ("feedback of one event", _feed),
        ):
            calls = {size: make(app) for size, app in apps.items()}
            yield measured_curve(what, "items", calls, rounds)
    kept, mapped = {}, {}
    for size in sizes:
        alone = place / f"alone{size}"
        with costed_app(alone, items=size):
            pass
        kept[size] = used_bytes(alone) / size
        mapped[size] = catalog_bytes(alone) / size
    yield exact_curve("bytes an item in the store", "items", kept)
    yield exact_curve("bytes an item in mapped files", "items", mapped)


def _whole(app: CostedApp) -> CostedCall:
    return app.rankings()


def _chosen(app: CostedApp) -> CostedCall:
    return app.rankings(candidates=100)


def _feed(app: CostedApp) -> CostedCall:
    return lambda number: app.feed(app.anybody())
