"""What does a longer list cost?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve, CostedCall, exact_curve, measured_curve
from benchmarks.costs.costed_app import CostedApp, costed_app, decades

SIZES = (1, 10, 100, 1000)
ITEMS, USERS = 10_000, 200


def curves(place: Path, rounds: int, quick: bool) -> Iterator[CostCurve]:
    """Rankings of the whole catalog by the number of items that they return."""
    with costed_app(place / "k", items=ITEMS, users=USERS) as app:
        calls = {size: _rank(app, size) for size in decades(SIZES, quick)}
        yield measured_curve("rank, whole catalog", "k", calls, rounds)
        replies = {
            size: float(len(app.handle(app.ranking(app.anybody(), size)).SerializeToString()))
            for size in calls
        }
    yield exact_curve("bytes of a ranking's reply", "k", replies)


def _rank(app: CostedApp, k: int) -> CostedCall:
    return app.rankings(k=k)
