"""The picture of a calibration: stated chances against clicks, and how places are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penchant.calibration.calibrate import CalibrationResult
from penchant.calibration.reliability import Reliability
from penchant.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, GREY, GREEN, RED = "#2b2f36", "#8a8f98", "#0b7a5c", "#c2571a"


def draw(found: CalibrationResult, path: Path) -> None:
    """Writes the picture as a PNG.

    Raises:
        ConfigError: matplotlib is missing.
    """
    try:  # Only here: it takes a second to load.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError("--plot: matplotlib is missing; `pip install matplotlib`") from error
    figure = Figure(figsize=(9.0, 4.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _reliability(left, found)
    _examination(right, found)
    figure.savefig(path)


def _reliability(axes: Axes, found: CalibrationResult) -> None:
    """Each bin's clicks over its stated chance; on the diagonal they agree."""
    without, with_places = found.held_out["without places"], found.held_out["with places"]
    for one, colour, label in (
        (without, RED, "places not known"),
        (with_places, GREEN, "position-based model"),
    ):
        ece = f"ECE {one.ece:.4f}, by chance {one.ece_by_chance:.4f}"
        _points(axes, one, colour, f"{label}: {ece}")
    most = max(bin.high for one in (without, with_places) for bin in one.bins)
    axes.plot([0, most], [0, most], color=GREY, linewidth=1, linestyle="--", zorder=0)
    title = f"{found.held_out_impressions:,} later impressions, bins of equal mass by place"
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.set_xlabel("stated chance of a click")
    axes.set_ylabel("share clicked, 95 % intervals")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    plain(axes)


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
    axes.bar(places, looks, color=GREEN, alpha=0.35, width=0.6)
    low, high = zip(*errors, strict=True)
    axes.errorbar(places, looks, (low, high), fmt="o", color=GREEN, markersize=4, elinewidth=1)
    axes.set_title("How much each place is looked at", loc="left", fontsize=9, color=INK)
    axes.set_xlabel("place")
    axes.set_ylabel("examination, first place = 1")
    axes.set_xticks(list(places) if len(looks) <= 12 else [])
    plain(axes)


def plain(axes: Axes) -> None:
    """Takes what is not data from the axes, which begin at 0."""
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#e6e8eb")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=INK)
