"""Costs of calls at any size, put together from curves that each vary one size alone.

Each curve is measured at one value of the other sizes. How the parts go together is the model:

    rank(n, d, k) = R_n(n) + n (d - 64) s + [R_k(k) - R_k(10)]
    fold(W, d)    = a + b W + c W d^2 + e d^3
    commit(b)     = B(b) + b [fold(W, d) - fold(30, 64)]

The search multiplies n vectors of d numbers, so s is the time of one more number of one vector: the
slope of R_d over d. What a list costs beyond ten items does not depend on d. The fold adds up W
outer products and solves a system of d equations: a, b, c and e are fitted to both of its curves,
none of them negative. The machine was not as fast for each curve, so they are joined where they
cross. `benchmarks.fleet.cost_check` measures points that lie on no curve, and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from benchmarks.costs.cost_curve import CostCurve
from penchant.domain.arrays import Float64

Curves = Mapping[tuple[str, str], CostCurve]

_WHOLE, _FOLD, _COMMIT = "rank, whole catalog", "fold", "feedback, the whole commit"
_WINDOW, _DIMENSIONS, _K = 30, 64, 10
"""Sizes at which the curves of the other sizes were measured."""
_ITEMS, _FOLDED = 2000, 100
"""Items, and events of a window, at which the curves over d were measured."""
_K_ITEMS = 10_000
"""Items at which the curve over k was measured."""


def _fold_terms(window: float, dimensions: float) -> Float64:
    return np.array([1.0, window, window * dimensions**2, dimensions**3])


@dataclass(frozen=True, slots=True)
class CallCosts:
    """Costs by size, in microseconds of processor time in a tight loop, and in bytes."""

    curves: Curves

    def rank_us(self, items: float, dimensions: float, k: float) -> float:
        """A ranking of the whole catalog."""
        by_items, by_k = self.curves[_WHOLE, "items"], self.curves[_WHOLE, "k"]
        by_d = self.curves[_WHOLE, "dimensions"]
        number_us = float(np.polyfit(by_d.sizes, by_d.cost, 1)[0]) / _ITEMS
        number_us *= by_items.at(_ITEMS) / by_d.at(_DIMENSIONS)
        searched = by_items.at(items) + items * (dimensions - _DIMENSIONS) * number_us
        longer = (by_k.at(k) - by_k.at(_K)) * by_items.at(_K_ITEMS) / by_k.at(_K)
        return max(by_items.cost[0], searched) + longer

    def fold_us(self, window: float, dimensions: float) -> float:
        """A fold of a full window."""
        return float(_fold_terms(window, dimensions) @ self._fold_parts())

    def _fold_parts(self) -> Float64:
        """a, b, c and e, by least squares of relative errors."""
        by_window, by_d = self.curves[_FOLD, "window"], self.curves[_FOLD, "dimensions"]
        points = [(size, _DIMENSIONS) for size in by_window.sizes]
        points += [(_FOLDED, size) for size in by_d.sizes]
        joined = by_d.at(_DIMENSIONS) / by_window.at(_FOLDED)
        costs = np.array([*(joined * cost for cost in by_window.cost), *by_d.cost])
        terms = np.array([_fold_terms(*point) for point in points]) / costs[:, None]
        # Columns of very different sizes would leave the small ones at 0.
        scale = terms.max(axis=0)
        parts, _ = nnls(terms / scale, np.ones(len(costs)))
        found: Float64 = parts / scale
        return found

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
