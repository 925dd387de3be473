"""The picture of `benchmarks.drift`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.recovery import LAST, Curve, recovery_of

_COLOURS = ("#0b7a5c", "#b23a5b", "#2f6fb4", "#c2571a", "#7a4fa3", "#8a8f98")


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Writes a PNG of all curves with their intervals, each named at its end."""
    figure = Figure(figsize=(10.5, 4.4), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.axvline(0, color="#444a52", linewidth=1, linestyle=":")
    axes.text(0.4, 1.01, "taste changes", fontsize=9, color="#444a52", va="bottom")
    for curve, colour in zip(curves, _COLOURS, strict=True):
        low = [point.low for point in curve.share]
        high = [point.high for point in curve.share]
        axes.fill_between(curve.since, low, high, color=colour, alpha=0.12, linewidth=0)
        mean = [point.mean for point in curve.share]
        events = recovery_of(curve).events
        label = f"{curve.name}: {'not recovered' if events is None else f'{events} events'}"
        axes.plot(curve.since, mean, color=colour, linewidth=2, label=label)
        if events is not None:
            place = curve.since.tolist().index(events)
            axes.plot([events], [mean[place]], "o", color=colour, markersize=6)
    axes.set_xlabel("the user's events since the change (dot: nine tenths of the share before)")
    axes.set_ylabel("share of the top ten in the user's taste")
    axes.set_xlim(-10, LAST)
    axes.set_ylim(0, 1.0)
    axes.grid(axis="y", color="#e6e8eb")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.6))
    figure.savefig(path)
