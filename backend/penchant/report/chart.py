"""The style of every chart: one palette, plain axes, PNG output.

matplotlib is imported only when a chart is drawn: it takes a second to load, and servers never
need it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penchant.system.durable_file import write_whole
from penchant.system.optional_package import needs_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY, LIGHT = "#22262b", "#8a8f98", "#c9cdd3"
GREEN, BLUE, RED = "#0b7a5c", "#2f6fb4", "#c2571a"
SERIES = (
    GREEN, GREY, BLUE, RED, "#7a4fa3", "#b23a5b", "#5f6b1f", "#1c8f9e", "#a08400", "#444a52",
)  # fmt: skip
"""Colours of a chart's series in drawing order: Penchant first, then its baselines."""

Corner = Literal["best", "upper left", "upper right", "lower right"]

_GRID = "#e6e8eb"
_DPI = 130


def require_matplotlib(option: str) -> None:
    """Checks that charts can be drawn, before minutes of work instead of after them.

    Args:
        option: option that asks for a chart, for the error message.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    with needs_extra(option, "report"):
        import_module("matplotlib.figure")


def new_figure(size: tuple[float, float], title: str = "") -> Figure:
    """A new figure, with a bold title at the top left.

    Args:
        size: width and height in inches.
        title: title of the whole figure; none if empty.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    with needs_extra("chart", "report"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    return figure


def colours(count: int) -> list[str]:
    """One colour per series; the palette repeats after ten."""
    return [SERIES[place % len(SERIES)] for place in range(count)]


def plain(axes: Axes, label: str = "", subtitle: str = "") -> None:
    """Removes frame and ticks, adds a light horizontal grid, and sets the y label and subtitle."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(INK)
    if label:
        axes.set_ylabel(label)
    if subtitle:
        axes.set_title(subtitle, loc="left", fontsize=9, color=GREY)
    axes.grid(axis="y", color=_GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=INK)


def band(
    axes: Axes,
    places: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    colour: str,
) -> None:
    """Shades the interval between two lines."""
    axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)


def legend(axes: Axes, where: Corner = "best", columns: int = 1) -> None:
    """Adds a legend without a frame."""
    axes.legend(frameon=False, fontsize=9, loc=where, ncols=columns)


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Writes the figure to a PNG file, completely or not at all."""
    write_whole(path, png(figure))
