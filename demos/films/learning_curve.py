"""The learning curve of the films demo, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from demos.films.film_metrics import BandComparison, K
from penchant.report import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(rows: Sequence[BandComparison], users: int, path: Path) -> None:
    """Draws recall@10 and its ratio to popularity's, by the number of earlier feedbacks.

    Args:
        rows: comparisons in order; those without rankings are left out.
        users: number of watched users, for the subtitle.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    shown = [row for row in rows if row.penchant.rankings]
    figure = chart.new_figure((8.0, 6.4), "The learning curve: Penchant against popularity")
    recall, ratio = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    rankings = sum(row.penchant.rankings for row in shown)
    subtitle = (
        f"MovieLens-100K as live traffic: {users} users, {rankings:,} rankings of all unseen "
        "films.\n"
        "Both fall: people first rate the films that everybody likes; later ones are harder to "
        "guess."
    )
    _draw_recall(recall, shown, subtitle)
    _draw_ratio(ratio, shown)
    chart.save(figure, path)


def _draw_recall(axes: Axes, rows: Sequence[BandComparison], subtitle: str) -> None:
    for label, colour, style, qualities in (
        ("Penchant", chart.GREEN, "o-", [row.penchant for row in rows]),
        ("popularity, on the same events", chart.GREY, "o--", [row.popularity for row in rows]),
    ):
        recalls = [quality.recall for quality in qualities]
        _line(axes, recalls, [quality.error for quality in qualities], colour, style, label)
    chart.plain(axes, f"recall@{K}", subtitle)
    axes.set_ylim(bottom=0)
    chart.legend(axes, "upper right")


def _draw_ratio(axes: Axes, rows: Sequence[BandComparison]) -> None:
    _line(axes, [row.lift for row in rows], [row.lift_error for row in rows], chart.GREEN, "o-", "")
    axes.axhline(1, color=chart.GREY, linestyle="--", linewidth=2)
    chart.plain(axes, "ratio of recall to popularity's")
    axes.set_xticks(range(len(rows)), [str(row.band) for row in rows])
    axes.set_xlabel("earlier feedbacks of the user (bands: ± one standard error)")


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
