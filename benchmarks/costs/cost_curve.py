"""Costs over a size, in turns, and their slopes on log-log scales.

The machine is shared, so nothing here reads a wall clock: a cost is the processor time of this
process per call, every round measures every size, and a curve is the median over the rounds of the
ratio to the smallest size of the same round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

_LEAST_S = 0.01
"""Processor time of one batch of calls, at least."""
_MOST_CALLS = 200

CostedCall = Callable[[int], object]
"""Makes one call; the number makes it differ from those before."""


@dataclass(frozen=True, slots=True)
class CostCurve:
    """How one cost grows with one size."""

    what: str
    """The cost, as `rank, whole catalog`."""
    axis: str
    """The size, as `items`."""
    unit: str
    """`us` of processor time, or `bytes`."""
    sizes: tuple[int, ...]
    cost: tuple[float, ...]
    """At each size, in the unit: the smallest size's median, times the ratio."""
    ratio: tuple[float, ...]
    """To the smallest size."""
    slope: float
    """Of log cost over log size, over all sizes, by least squares."""
    slope_error: float
    """Standard error of the slope: over rounds, or for bytes, which are exact, of the line."""
    last_slope: float
    """Over the last step alone: what the largest sizes grow by."""

    def at(self, size: float) -> float:
        """The cost at a size, along straight lines on log-log scales; beyond, the last goes on.

        >>> curve = CostCurve("c", "n", "us", (1, 10), (2.0, 20.0), (1.0, 10.0), 1.0, 0.0, 1.0)
        >>> round(curve.at(100), 6)
        200.0
        """
        x, y = np.log(self.sizes), np.log(self.cost)
        at = np.log(size)
        if at >= x[-1]:
            return float(np.exp(y[-1] + self.last_slope * (at - x[-1])))
        return float(np.exp(np.interp(at, x, y)))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CostCurve:
        """The curve that `as_dict` wrote."""
        lists = {name: tuple(content[name]) for name in ("sizes", "cost", "ratio")}
        return cls(**{**content, **lists})


def measured_curve(what: str, axis: str, calls: Mapping[int, CostedCall], rounds: int) -> CostCurve:
    """Measures one call at every size, in turns.

    Args:
        what: name of the cost.
        axis: name of the size.
        calls: the call by its size, the smallest first.
        rounds: number of rounds; every second one goes backwards.
    """
    sizes = list(calls)
    counts = {size: _count(calls[size]) for size in sizes}
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    number = 0
    for turn in range(rounds):
        for size in sizes if turn % 2 == 0 else reversed(sizes):
            number += counts[size]
            taken[size].append(_batch_us(calls[size], counts[size], number))
    ratios = np.array([taken[size] for size in sizes]) / np.array(taken[sizes[0]])
    slopes = [_slope(sizes, ratios[:, turn]) for turn in range(rounds)]
    smallest = statistics.median(taken[sizes[0]])
    ratio = np.median(ratios, axis=1)
    return CostCurve(
        what,
        axis,
        "us",
        tuple(sizes),
        tuple(float(smallest * one) for one in ratio),
        tuple(map(float, ratio)),
        statistics.median(slopes),
        float(np.std(slopes, ddof=1) / np.sqrt(rounds)),
        _slope(sizes[-2:], ratio[-2:]),
    )


def exact_curve(what: str, axis: str, kept: Mapping[int, float]) -> CostCurve:
    """A curve of bytes, which are the same in every round."""
    sizes = list(kept)
    ratio = np.array([kept[size] / kept[sizes[0]] for size in sizes])
    x, y = np.log(sizes), np.log(ratio)
    slope = _slope(sizes, ratio)
    rest = y - y.mean() - slope * (x - x.mean())
    freedom = max(len(sizes) - 2, 1)
    error = float(np.sqrt((rest**2).sum() / freedom / ((x - x.mean()) ** 2).sum()))
    last = _slope(sizes[-2:], ratio[-2:])
    costs = tuple(float(kept[size]) for size in sizes)
    return CostCurve(
        what, axis, "bytes", tuple(sizes), costs, tuple(map(float, ratio)), slope, error, last
    )


def _slope(sizes: Sequence[int], ratios: Any) -> float:
    x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(ratios, float))
    return float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())


def _count(call: CostedCall) -> int:
    """Calls of a batch: enough for the clock of processor time, at least 2."""
    call(-1)
    began = time.process_time()
    call(-2)
    took = max(time.process_time() - began, 1e-6)
    return max(2, min(_MOST_CALLS, round(_LEAST_S / took)))


def _batch_us(call: CostedCall, count: int, first: int) -> float:
    began = time.process_time()
    for number in range(first, first + count):
        call(number)
    return (time.process_time() - began) / count * 1e6
