"""Chart of `benchmarks/said.py`: how often the first action is right, by its confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from penchant.report import chart

Bins = Sequence[tuple[float, float, int]]
"""Mean confidence, share that is right, and number of sentences of each bin."""


def draw(bins: Mapping[str, Bins], errors: Mapping[str, float], path: Path) -> None:
    """Draws a line for each language, its dots as large as the bins.

    Args:
        bins: bins by language.
        errors: expected calibration error by language.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((6.4, 4.6))
    axes = figure.subplots()
    axes.plot([0.3, 1], [0.3, 1], color=chart.INK, linewidth=1, linestyle=":")
    for (name, rows), colour in zip(bins.items(), chart.colours(len(bins)), strict=True):
        sure, right, sizes = zip(*rows, strict=True)
        total = sum(sizes)
        label = f"{name}: {total} sentences, expected calibration error {errors[name]:.3f}"
        axes.plot(sure, right, color=colour, linewidth=1.5, label=label)
        areas = [max(12.0, 900 * size / total) for size in sizes]
        axes.scatter(sure, right, s=areas, color=colour, alpha=0.5)
        for place, (one, other, size) in enumerate(rows):
            below = place % 2 == 0
            axes.annotate(
                str(size),
                (one, other),
                xytext=(0, -14 if below else 8),
                textcoords="offset points",
                fontsize=8,
                color=colour,
                ha="center",
            )
    axes.set_xlabel("confidence of the first suggestion (dots: number of sentences)")
    chart.plain(axes, "share that is right")
    axes.set_xlim(0.3, 1.03)
    axes.set_ylim(0.3, 1.06)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    chart.save(figure, path)
