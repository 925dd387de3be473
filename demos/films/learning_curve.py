"""The learning curve as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from demos.films.film_metrics import BandComparison, K
from penchant.report import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(rows: Sequence[BandComparison], users: int, path: Path) -> None:
    """Writes a PNG of recall@10, and its ratio to popularity's, by the number of earlier feedbacks.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    shown = [row for row in rows if row.penchant.trials]
    figure = chart.new_figure((8.0, 6.4), "The learning curve: Penchant against popularity")
    recall, ratio = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    _draw_recall(recall, shown)
    _draw_ratio(ratio, shown)
    trials = sum(row.penchant.trials for row in shown)
    recall.set_title(
        f"MovieLens-100K as live traffic: {users} users, {trials:,} rankings of all unseen films.\n"
        "Both fall: people rate first what everybody likes, and the rest is harder to guess.",
        loc="left", fontsize=9, color=chart.GREY,
    )  # fmt: skip
    ratio.set_xticks(range(len(shown)), [str(row.band) for row in shown])
    ratio.set_xlabel("feedbacks that the user had given before (bands: one standard error)")
    chart.save(figure, path)


def _draw_recall(axes: Axes, rows: Sequence[BandComparison]) -> None:
    for label, colour, style, qualities in (
        ("Penchant", chart.GREEN, "o-", [row.penchant for row in rows]),
        ("popularity, on the same events", chart.GREY, "o--", [row.popularity for row in rows]),
    ):
        recalls = [quality.recall for quality in qualities]
        _line(axes, recalls, [quality.error for quality in qualities], colour, style, label)
    chart.plain(axes, f"recall@{K}")
    axes.set_ylim(bottom=0)
    chart.legend(axes, "upper right")


def _draw_ratio(axes: Axes, rows: Sequence[BandComparison]) -> None:
    _line(axes, [row.lift for row in rows], [row.lift_error for row in rows], chart.GREEN, "o-", "")
    axes.axhline(1, color=chart.GREY, linestyle="--", linewidth=2)
    chart.plain(axes, "times popularity's")


def _line(
    axes: Axes,
    values: Sequence[float],
    errors: Sequence[float],
    colour: str,
    style: str,
    label: str,
) -> None:
    places = list(range(len(values)))
    low = [max(0.0, value - error) for value, error in zip(values, errors, strict=True)]
    high = [value + error for value, error in zip(values, errors, strict=True)]
    chart.band(axes, places, low, high, colour)
    axes.plot(places, values, style, color=colour, linewidth=2, markersize=5, label=label)
