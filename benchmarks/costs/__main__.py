"""Measures how costs grow with users, items, window, dimensions and k.

    python -m benchmarks.costs [--only items] [--rounds 9]

In process, without Triton, by processor time: see `benchmarks/costs/cost_curve.py`. Writes
docs/data/costs.json and docs/images/costs.png, unless --only or --quick leaves something out.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.costs import (
    by_batch,
    by_dimensions,
    by_items,
    by_k,
    by_users,
    by_window,
    kept_events,
)
from benchmarks.costs.cost_curve import CostCurve
from benchmarks.costs.cost_file import COSTS, write_costs
from benchmarks.costs.cost_picture import draw_costs
from benchmarks.machine import facts

QUESTIONS = {
    "users": by_users,
    "items": by_items,
    "window": by_window,
    "dimensions": by_dimensions,
    "k": by_k,
    "batch": by_batch,
    "events": kept_events,
}


def main() -> None:
    """Measures, prints a line a curve, and writes the file and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(QUESTIONS), action="append")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="only whether it runs")
    options = parser.parse_args()
    curves: list[CostCurve] = []
    with tempfile.TemporaryDirectory(prefix="penchant-costs-") as name, threadpool_limits(1):
        place = Path(name)
        machine = facts(place)
        for question in options.only or QUESTIONS:
            where = place / question
            where.mkdir()
            for curve in QUESTIONS[question].curves(where, options.rounds, options.quick):
                curves.append(curve)
                print(_line(curve), flush=True)
    if not options.only and not options.quick:
        write_costs(COSTS, curves, machine, options.rounds)
        draw_costs(curves, COSTS.parents[1] / "images/costs.png")


def _line(curve: CostCurve) -> str:
    costs = ", ".join(
        f"{size:,}: {cost:,.0f}" for size, cost in zip(curve.sizes, curve.cost, strict=True)
    )
    return (
        f"{curve.axis}: {curve.what} [{curve.unit}] {costs}; slope {curve.slope:.3f} ± "
        f"{curve.slope_error:.3f}, last {curve.last_slope:.2f}"
    )


if __name__ == "__main__":
    main()
