"""The learning curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penchant.cli.demo.metrics import Comparison, K
from penchant.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREEN, _GREY, _INK = "#0b7a5c", "#8a8f98", "#22262b"


def draw(rows: Sequence[Comparison], users: int, path: Path) -> None:
    """Writes a PNG of recall@10 against the number of earlier feedbacks.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:  # Only here: it takes a second to load.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the package {error.name} is missing, which draws the learning curve; "
            "`pip install matplotlib`"
        ) from error
    shown = [row for row in rows if row.penchant.trials]
    figure = Figure(figsize=(8.0, 4.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _line(axes, shown, "popularity", _GREY, "o--")
    _line(axes, shown, "penchant", _GREEN, "o-")
    trials = sum(row.penchant.trials for row in shown)
    axes.set_title(
        "Each feedback makes the next ranking better",
        loc="left", fontsize=14, fontweight="bold", color=_INK, pad=26,
    )  # fmt: skip
    axes.text(
        0, 1.035,
        f"MovieLens-100K as live traffic: {users} users, {trials:,} rankings of all unseen films; "
        "bands: one standard error",
        transform=axes.transAxes, fontsize=9, color=_GREY,
    )  # fmt: skip
    axes.set_xticks(range(len(shown)), [str(row.band) for row in shown])
    axes.set_xlabel("feedbacks that the user had given before", color=_INK)
    axes.set_ylabel(f"recall@{K}", color=_INK)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#e6e8eb")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=_INK)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(path)


def _line(axes: Axes, rows: Sequence[Comparison], which: str, colour: str, style: str) -> None:
    qualities = [row.penchant if which == "penchant" else row.popularity for row in rows]
    places = list(range(len(rows)))
    low = [max(0.0, quality.recall - quality.error) for quality in qualities]
    high = [quality.recall + quality.error for quality in qualities]
    axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
    label = "Penchant" if which == "penchant" else "popularity, on the same events"
    recalls = [quality.recall for quality in qualities]
    axes.plot(places, recalls, style, color=colour, linewidth=2, markersize=5, label=label)
