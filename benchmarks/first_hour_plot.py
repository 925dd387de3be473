"""Chart of `benchmarks.first_hour`: recall of each window of rankings as a server fills."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penchant.report import chart

if TYPE_CHECKING:
    from benchmarks.first_hour import WindowComparison


def draw(windows: Sequence[WindowComparison], refreshed_at: Sequence[int], path: Path) -> None:
    """Draws recall@10 by the ratings that the server has, and marks the refreshes.

    Args:
        windows: the windows, in order.
        refreshed_at: numbers of ratings at which the clock refreshed.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((9.0, 3.8))
    axes = figure.subplots()
    events = [one.events for one in windows]
    names = list(windows[0].recall)
    for name, colour in zip(names, chart.colours(len(names)), strict=True):
        recall = [one.recall[name] for one in windows]
        axes.plot(events, recall, color=colour, linewidth=2, label=name)
    popular = [one.recall[names[1]] for one in windows]
    low = [base + one.recall_gain[0] for base, one in zip(popular, windows, strict=True)]
    high = [base + one.recall_gain[1] for base, one in zip(popular, windows, strict=True)]
    chart.band(axes, events, low, high, chart.GREEN)
    axes.plot(refreshed_at, [0.0] * len(refreshed_at), "|", color=chart.INK, markersize=6)
    axes.set_xlabel("ratings so far (marks: refreshes; band: 95 % of the gain over popularity)")
    chart.plain(axes, "recall@10 of 2,000 rankings")
    axes.set_ylim(bottom=0)
    chart.legend(axes)
    chart.save(figure, path)
