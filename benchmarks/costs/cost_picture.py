"""The picture of all costs: one panel a size, log-log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve
from penchant.report import chart

AXES = {
    "users": "users in the store",
    "items": "items in the catalog",
    "window": "events in a window, W",
    "dimensions": "dimensions of a vector, d",
    "k": "items of a list, k",
    "batch": "events in a commit",
}
_COLOURS = {
    "rank, whole catalog": chart.BLUE,
    "rank of 100 candidates": chart.GREEN,
    "feedback of one event": chart.RED,
    "fold": chart.SERIES[4],
    "feedback, the whole commit": chart.RED,
}


def draw_costs(curves: Sequence[CostCurve], path: Path) -> None:
    """Draws the processor time of every call over every size to a PNG file."""
    figure = chart.new_figure((9.6, 6.4), "Processor time of a call")
    panels = figure.subplots(2, 3, sharey=True).flatten()
    for axes, (axis, label) in zip(panels, AXES.items(), strict=True):
        for curve in curves:
            if curve.axis == axis and curve.unit == "us":
                text = f"{curve.what}: {curve.slope:.2f} ± {curve.slope_error:.2f}"
                colour = _COLOURS[curve.what]
                axes.plot(curve.sizes, curve.cost, "o-", color=colour, markersize=4, label=text)
        axes.set_xscale("log")
        axes.set_yscale("log")
        chart.plain(axes, "µs" if axis in ("users", "dimensions") else "", label)
        axes.set_ylim(20, 300_000)
        axes.legend(frameon=False, fontsize=7.5, loc="upper left")
    figure.text(
        0.99,
        0.985,
        "numbers: slope on log-log scales over all sizes, ± its standard error",
        fontsize=9,
        color=chart.GREY,
        ha="right",
        va="top",
    )
    chart.save(figure, path)
