"""The demo's picture: what players truly like of their lists, and how soon a turn is followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from demos.games.diversity import Turned
from penchant.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Shares = NDArray[np.float64]
"""Of one recommender, shape (sessions, players)."""

_NAME_HEIGHT = 0.055

_GREEN, _GREY, _INK, _LIGHT, _BLUE = "#0b7a5c", "#8a8f98", "#22262b", "#c9cdd3", "#2f6fb5"
_LOOKS: Mapping[str, tuple[str, str]] = {
    "the truth": (_LIGHT, ":"),
    "Penchant": (_GREEN, "o-"),
    "popularity": (_GREY, "o--"),
    "chance": (_LIGHT, "o--"),
}


def draw_rounds(shares: Mapping[str, Shares], drift_at: int, path: Path) -> None:
    """Writes a PNG of the truly liked share of the top ten by session, a line a recommender.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = _figure((8.0, 4.6))
    axes, height = figure.subplots(), 2.0
    for name, mine in sorted(shares.items(), key=lambda pair: -pair[1][-1].mean()):
        colour, style = _LOOKS[name]
        sessions = np.arange(1, len(mine) + 1)
        mean, error = mine.mean(1), 1.96 * mine.std(1) / np.sqrt(mine.shape[1])
        axes.fill_between(
            sessions, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(sessions, mean, style, color=colour, linewidth=2, markersize=5)
        # Beside the last points, which may be too near each other for their names.
        height = min(float(mean[-1]), height - _NAME_HEIGHT)
        axes.text(
            sessions[-1] + 0.25, height, name, va="center", fontsize=9,
            color=_INK if colour == _LIGHT else colour,
        )  # fmt: skip
    axes.axvline(drift_at + 0.5, color=_LIGHT, linewidth=1)
    axes.text(
        drift_at + 0.6, 1.03, "one of two tastes changes", color=_GREY, fontsize=9, va="bottom"
    )
    axes.set_xlabel("session of the player (bands: 95 %)")
    players = next(iter(shares.values())).shape[1]
    _style(axes, "share of the top ten")
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0.8, len(next(iter(shares.values()))) + 1.6)
    axes.set_xticks(range(1, len(next(iter(shares.values()))) + 1))
    _title(figure, "What players truly like of what is recommended")
    axes.set_title(
        f"{players} simulated players, Debian's games; only games that they do not know yet",
        loc="left", fontsize=9, color=_GREY, pad=18,
    )  # fmt: skip
    figure.savefig(path)


def draw_turn(lines: Mapping[str, Sequence[float]], chance: float, path: Path) -> None:
    """Writes a PNG of a new kind's share of the top ten, by events of the new taste.

    Args:
        lines: name to the share before, and after each event.
        chance: the share that the kinds have in the catalogue.
        path: where it goes.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = _figure((6.4, 4.2))
    axes = figure.subplots()
    for (name, line), colour in zip(lines.items(), (_GREEN, _GREY, _BLUE), strict=False):
        axes.plot(range(len(line)), line, "o-", color=colour, linewidth=2, label=name)
    axes.axhline(chance, color=_LIGHT, linestyle="--")
    events = len(next(iter(lines.values()))) - 1
    axes.text(
        events, chance - 0.01, "its share of the catalogue", color=_GREY, fontsize=9,
        ha="right", va="top",
    )  # fmt: skip
    axes.set_xticks(range(events + 1))
    axes.set_xlabel("events of the new taste, in one session")
    _style(axes, "share of the top ten")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, loc="upper left")
    _title(figure, "How soon the list follows a new taste")
    figure.savefig(path)


def draw_knob(turned: Sequence[Turned], path: Path) -> None:
    """Writes a PNG of what is truly liked, and how many kinds a list has, by the knob.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = _figure((6.4, 4.6))
    liked, kinds = figure.subplots(2, sharex=True)
    knob = [one.diversity for one in turned]
    liked.plot(knob, [one.liked for one in turned], "o-", color=_GREEN, linewidth=2)
    _style(liked, "truly liked share")
    liked.set_ylim(0, 1)
    kinds.plot(knob, [one.kinds for one in turned], "o-", color=_BLUE, linewidth=2)
    _style(kinds, "kinds in the top ten")
    kinds.set_ylim(0, 1.1 * max(one.kinds for one in turned))
    kinds.set_xlabel("diversity")
    kinds.set_xticks(knob)
    _title(figure, "One knob: what is liked against how much it differs")
    figure.savefig(path)


def _figure(size: tuple[float, float]) -> Figure:
    try:  # Only here: it takes a second to load.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the package {error.name} is missing, which draws the picture; "
            "`pip install matplotlib`"
        ) from error
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _title(figure: Figure, text: str) -> None:
    figure.suptitle(text, x=0.01, ha="left", fontsize=13, fontweight="bold", color=_INK)


def _style(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#e6e8eb")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=_INK)
