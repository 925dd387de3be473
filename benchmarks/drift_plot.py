"""Chart of `benchmarks.drift`: the share in the user's taste around a change of taste."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.recovery import LAST, Curve, recovery_of
from penchant.report import chart


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Draws all curves with their intervals, each named with the events until it recovers.

    Args:
        curves: one curve for each recommender, Penchant first.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((10.5, 4.4))
    axes = figure.subplots()
    axes.axvline(0, color=chart.INK, linewidth=1, linestyle=":")
    axes.text(0.4, 1.01, "taste changes", fontsize=9, color=chart.INK, va="bottom")
    for curve, colour in zip(curves, chart.colours(len(curves)), strict=True):
        low = [point.low for point in curve.share]
        high = [point.high for point in curve.share]
        chart.band(axes, curve.since.tolist(), low, high, colour)
        mean = [point.mean for point in curve.share]
        events = recovery_of(curve).events
        label = f"{curve.name}: {'not recovered' if events is None else f'{events} events'}"
        axes.plot(curve.since, mean, color=colour, linewidth=2, label=label)
        if events is not None:
            place = curve.since.tolist().index(events)
            axes.plot([events], [mean[place]], "o", color=colour, markersize=6)
    axes.set_xlabel(
        "events of the user since the change (dot: 90 % of the share before is reached)"
    )
    chart.plain(axes, "share of the top ten in the user's taste")
    axes.set_xlim(-10.5, LAST)
    axes.set_ylim(0, 1.0)
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.6))
    chart.save(figure, path)
