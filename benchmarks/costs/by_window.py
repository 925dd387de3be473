"""What does a longer memory cost: events in a user's window?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, CostedCall, exact_curve, measured_curve
from benchmarks.costs.costed_app import CostedApp, config_at, costed_app, decades
from benchmarks.costs.folded import fold_call
from penchant.store.codec import encode_user
from penchant.store.open import open_store
from penchant.store.users import read_user

SIZES = (1, 10, 100, 1000)
ITEMS, DIMENSIONS = 2000, 64
_FILLED = "filled"
"""The user whose window is full."""


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """The fold alone, feedback of a user with a full window, that user's rank, and the record."""
    sizes = decades(SIZES, quick)
    folds = {size: fold_call(window=size, dimensions=DIMENSIONS) for size in sizes}
    yield measured_curve("fold", "window", folds, rounds)
    with ExitStack() as stack:
        apps = {}
        for size in sizes:
            settings = {"window_events": str(size)}
            app = stack.enter_context(
                costed_app(place / f"w{size}", items=ITEMS, settings=settings)
            )
            app.feed(_FILLED, size)
            apps[size] = app
        feeds = {size: _feed(app) for size, app in apps.items()}
        yield measured_curve("feedback of one event", "window", feeds, rounds)
    kept = {}
    for size in sizes:
        store = open_store(config_at(place / f"w{size}").store, map_bytes=0)
        try:
            with store.snapshot() as snapshot:
                state = read_user(snapshot, _FILLED)
        finally:
            store.close()
        assert state is not None
        kept[size] = float(len(encode_user(state)))
    yield exact_curve("bytes of a user's record", "window", kept)


def _feed(app: CostedApp) -> CostedCall:
    return lambda number: app.feed(_FILLED)
