"""The learning curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from demos.films.metrics import Comparison, K
from penchant.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREEN, _GREY, _INK = "#0b7a5c", "#8a8f98", "#22262b"


def draw(rows: Sequence[Comparison], users: int, path: Path) -> None:
    """Writes a PNG of recall@10, and its ratio, against the number of earlier feedbacks.

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
    figure = Figure(figsize=(8.0, 6.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    recall, ratio = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    _draw_recall(recall, shown)
    _draw_ratio(ratio, shown)
    trials = sum(row.penchant.trials for row in shown)
    figure.suptitle(
        "The learning curve: Penchant against popularity",
        x=0.01, ha="left", fontsize=14, fontweight="bold", color=_INK,
    )  # fmt: skip
    recall.set_title(
        f"MovieLens-100K as live traffic: {users} users, {trials:,} rankings of all unseen films.\n"
        "Both fall, since people rate first what everybody likes, and the rest is harder to guess.",
        loc="left", fontsize=9, color=_GREY,
    )  # fmt: skip
    ratio.set_xticks(range(len(shown)), [str(row.band) for row in shown])
    ratio.set_xlabel("feedbacks that the user had given before (bands: one standard error)")
    figure.savefig(path)


def _draw_recall(axes: Axes, rows: Sequence[Comparison]) -> None:
    for label, colour, style, qualities in (
        ("Penchant", _GREEN, "o-", [row.penchant for row in rows]),
        ("popularity, on the same events", _GREY, "o--", [row.popularity for row in rows]),
    ):
        recalls = [quality.recall for quality in qualities]
        _line(axes, recalls, [quality.error for quality in qualities], colour, style, label)
    _style(axes, f"recall@{K}")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="upper right")


def _draw_ratio(axes: Axes, rows: Sequence[Comparison]) -> None:
    _line(axes, [row.lift for row in rows], [row.lift_error for row in rows], _GREEN, "o-", "")
    axes.axhline(1, color=_GREY, linestyle="--", linewidth=2)
    _style(axes, "times popularity's")


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
    axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(places, values, style, color=colour, linewidth=2, markersize=5, label=label)


def _style(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#e6e8eb")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=_INK)
