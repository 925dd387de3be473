"""What do longer vectors cost?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, CostedCall, exact_curve, measured_curve
from benchmarks.costs.costed_app import CostedApp, catalog_bytes, costed_app, decades
from benchmarks.costs.folded import fold_call

SIZES = (1, 8, 64, 512, 1024)
ITEMS, WINDOW = 2000, 100
_FILLED = "filled"


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """The fold alone, feedback, rankings of 100 candidates and of the catalog, and its files."""
    sizes = decades(SIZES, quick)
    folds = {size: fold_call(window=WINDOW, dimensions=size) for size in sizes}
    yield measured_curve("fold", "dimensions", folds, rounds)
    with ExitStack() as stack:
        apps = {}
        for size in sizes:
            app = stack.enter_context(costed_app(place / f"d{size}", items=ITEMS, dimensions=size))
            app.feed(_FILLED, WINDOW)
            apps[size] = app
        for what, make in (
            ("rank of 100 candidates", _chosen),
            ("rank, whole catalog", _whole),
            ("feedback of one event", _feed),
        ):
            calls = {size: make(app) for size, app in apps.items()}
            yield measured_curve(what, "dimensions", calls, rounds)
        files = {size: catalog_bytes(place / f"d{size}") / ITEMS for size in sizes}
    yield exact_curve("bytes an item in mapped files", "dimensions", files)


def _chosen(app: CostedApp) -> CostedCall:
    return app.rankings(candidates=100, user=_FILLED)


def _whole(app: CostedApp) -> CostedCall:
    return app.rankings(user=_FILLED)


def _feed(app: CostedApp) -> CostedCall:
    return lambda number: app.feed(_FILLED)
