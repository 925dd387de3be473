"""Chart of a calibration: stated against observed click rates, and examination by place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penchant.calibration.calibrate import CalibrationResult
from penchant.calibration.reliability import Reliability
from penchant.report import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(found: CalibrationResult, path: Path) -> None:
    """Writes the chart as a PNG.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((9.0, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _reliability(left, found)
    _examination(right, found)
    chart.save(figure, path)


def _reliability(axes: Axes, found: CalibrationResult) -> None:
    """Observed against stated click rate of each bin; they agree on the diagonal."""
    without, with_places = found.held_out["without places"], found.held_out["with places"]
    for one, colour, label in (
        (without, chart.RED, "places not known"),
        (with_places, chart.GREEN, "position-based model"),
    ):
        ece = f"ECE {one.ece:.4f}, by chance {one.ece_by_chance:.4f}"
        _points(axes, one, colour, f"{label}: {ece}")
    most = max(bin.high for one in (without, with_places) for bin in one.bins)
    axes.plot([0, most], [0, most], color=chart.GREY, linewidth=1, linestyle="--", zorder=0)
    title = f"{found.held_out_impressions:,} later impressions, bins of equal mass by place"
    axes.set_xlabel("stated chance of a click")
    axes.set_ylim(bottom=0)
    chart.plain(axes, "share clicked, 95 % intervals", title)
    chart.legend(axes, "lower right")


def _points(axes: Axes, one: Reliability, colour: str, label: str) -> None:
    stated = [bin.stated for bin in one.bins]
    clicked = [bin.clicked for bin in one.bins]
    low = [max(0.0, bin.clicked - bin.low) for bin in one.bins]
    high = [max(0.0, bin.high - bin.clicked) for bin in one.bins]
    axes.errorbar(
        stated, clicked, (low, high), fmt="o", color=colour, markersize=4, elinewidth=1, label=label
    )


def _examination(axes: Axes, found: CalibrationResult) -> None:
    places = range(1, len(found.model.examination) + 1)
    looks = found.model.examination.tolist()
    errors = [
        (max(0.0, value - low), max(0.0, high - value))
        for value, (low, high) in zip(looks, found.model.examination_intervals, strict=True)
    ]
    axes.bar(places, looks, color=chart.GREEN, alpha=0.35, width=0.6)
    low, high = zip(*errors, strict=True)
    axes.errorbar(
        places, looks, (low, high), fmt="o", color=chart.GREEN, markersize=4, elinewidth=1
    )
    axes.set_xlabel("place")
    axes.set_ylim(bottom=0)
    chart.plain(axes, "examination, first place = 1", "How much each place is looked at")
    axes.set_xticks(list(places) if len(looks) <= 12 else [])
