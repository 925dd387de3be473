"""Costs of calls at any size, put together from curves that each vary one size alone.

Each curve is measured at one value of the other sizes. How the parts go together is the model:

    rank(n, d, k)  = R_n(100) + [R_n(n) - R_n(100)] r(d) + [R_k(k) - R_k(10)]
    r(d)           = [R_d(d) - R_d(1)] / [R_d(64) - R_d(1)]
    fold(W, d)     = F_W(W) F_d(d) / F_d(64)
    commit(b)      = B(b) + b [fold(W, d) - fold(30, 64)]

The search is a product of n vectors with d numbers each, so that part grows with both; what a list
costs beyond ten items does not depend on d. `benchmarks.fleet.cost_check` measures points that lie
on no curve, and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.costs.cost_curve import CostCurve

Curves = Mapping[tuple[str, str], CostCurve]

_WHOLE, _FOLD, _COMMIT = "rank, whole catalog", "fold", "feedback, the whole commit"
_WINDOW, _DIMENSIONS, _K = 30, 64, 10
"""Sizes at which the curves of the other sizes were measured."""


@dataclass(frozen=True, slots=True)
class CallCosts:
    """Costs by size, in microseconds of processor time in a tight loop, and in bytes."""

    curves: Curves

    def rank_us(self, items: float, dimensions: float, k: float) -> float:
        """A ranking of the whole catalog."""
        by_items = self.curves[_WHOLE, "items"]
        by_k = self.curves[_WHOLE, "k"]
        by_d = self.curves[_WHOLE, "dimensions"]
        least = by_items.cost[0]
        wider = (by_d.at(dimensions) - by_d.cost[0]) / (by_d.at(_DIMENSIONS) - by_d.cost[0])
        search = max(0.0, by_items.at(items) - least) * max(wider, 0.0)
        return least + search + by_k.at(k) - by_k.at(_K)

    def fold_us(self, window: float, dimensions: float) -> float:
        """A fold of a full window."""
        by_window, by_d = self.curves[_FOLD, "window"], self.curves[_FOLD, "dimensions"]
        return by_window.at(window) * by_d.at(dimensions) / by_d.at(_DIMENSIONS)

    def commit_us(self, events: int, window: float, dimensions: float) -> float:
        """A commit of the events of as many users."""
        more = self.fold_us(window, dimensions) - self.fold_us(_WINDOW, _DIMENSIONS)
        return self.curves[_COMMIT, "batch"].at(events) + events * more

    def user_bytes(self, window: float) -> float:
        """A user's record."""
        return self.curves["bytes of a user's record", "window"].at(window)

    def event_bytes(self) -> float:
        """An event in the log, with the store's own overhead."""
        return self.curves["bytes an event in the log", "events"].cost[-1]

    def reply_bytes(self, k: float) -> float:
        """The reply to a ranking, without what HTTP/2 and gRPC add."""
        return self.curves["bytes of a ranking's reply", "k"].at(k)

    def item_bytes(self, dimensions: float) -> tuple[float, float]:
        """An item in the store, and in the mapped files."""
        files = self.curves["bytes an item in mapped files", "dimensions"]
        stored = self.curves["bytes an item in the store", "items"].cost[-1]
        return stored, files.at(dimensions)
