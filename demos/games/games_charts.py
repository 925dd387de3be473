"""Charts of the games demo: the truly liked share of lists, and how soon a new taste shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demos.games.diversity_sweep import Turned
from penchant.report import chart

Shares = NDArray[np.float64]
"""Of one recommender, shape (sessions, players)."""

_NAME_HEIGHT = 0.055

_LOOKS: Mapping[str, tuple[str, str]] = {
    "the truth": (chart.LIGHT, ":"),
    "Penchant": (chart.GREEN, "o-"),
    "popularity": (chart.GREY, "o--"),
    "chance": (chart.LIGHT, "o--"),
}


def draw_rounds(shares: Mapping[str, Shares], drift_at: int, path: Path) -> None:
    """Writes a PNG of the truly liked share of the top ten by session, a line a recommender.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((8.0, 4.6), "What players truly like of what is recommended")
    axes, height = figure.subplots(), 2.0
    for name, mine in sorted(shares.items(), key=lambda pair: -pair[1][-1].mean()):
        colour, style = _LOOKS[name]
        sessions = np.arange(1, len(mine) + 1)
        mean, error = mine.mean(1), 1.96 * mine.std(1) / np.sqrt(mine.shape[1])
        chart.band(
            axes, sessions.tolist(), (mean - error).tolist(), (mean + error).tolist(), colour
        )
        axes.plot(sessions, mean, style, color=colour, linewidth=2, markersize=5)
        # Beside the last points, which may be too near each other for their names.
        height = min(float(mean[-1]), height - _NAME_HEIGHT)
        axes.text(
            sessions[-1] + 0.25, height, name, va="center", fontsize=9,
            color=chart.INK if colour == chart.LIGHT else colour,
        )  # fmt: skip
    axes.axvline(drift_at + 0.5, color=chart.LIGHT, linewidth=1)
    axes.text(
        drift_at + 0.6, 1.03, "one of two tastes changes", color=chart.GREY, fontsize=9, va="bottom"
    )
    axes.set_xlabel("session of the player (bands: 95 %)")
    players = next(iter(shares.values())).shape[1]
    chart.plain(axes, "share of the top ten")
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0.8, len(next(iter(shares.values()))) + 1.6)
    axes.set_xticks(range(1, len(next(iter(shares.values()))) + 1))
    axes.set_title(
        f"{players} simulated players, Debian's games; only games that they do not know yet",
        loc="left", fontsize=9, color=chart.GREY, pad=18,
    )  # fmt: skip
    chart.save(figure, path)


def draw_turn(lines: Mapping[str, Sequence[float]], chance: float, path: Path) -> None:
    """Writes a PNG of a new kind's share of the top ten, by events of the new taste.

    Args:
        lines: name to the share before, and after each event.
        chance: the share that the kinds have in the catalogue.
        path: where it goes.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((6.4, 4.2), "How soon the list follows a new taste")
    axes = figure.subplots()
    for (name, line), colour in zip(
        lines.items(), (chart.GREEN, chart.GREY, chart.BLUE), strict=False
    ):
        axes.plot(range(len(line)), line, "o-", color=colour, linewidth=2, label=name)
    axes.axhline(chance, color=chart.LIGHT, linestyle="--")
    events = len(next(iter(lines.values()))) - 1
    axes.text(
        events, chance - 0.01, "its share of the catalogue", color=chart.GREY, fontsize=9,
        ha="right", va="top",
    )  # fmt: skip
    axes.set_xticks(range(events + 1))
    axes.set_xlabel("events of the new taste, in one session")
    chart.plain(axes, "share of the top ten")
    axes.set_ylim(0, 1)
    chart.legend(axes, "upper left")
    chart.save(figure, path)


def draw_knob(turned: Sequence[Turned], path: Path) -> None:
    """Writes a PNG of what is truly liked, and how many kinds a list has, by the knob.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((6.4, 4.6), "One knob: what is liked against how much it differs")
    liked, kinds = figure.subplots(2, sharex=True)
    knob = [one.diversity for one in turned]
    liked.plot(knob, [one.liked for one in turned], "o-", color=chart.GREEN, linewidth=2)
    chart.plain(liked, "truly liked share")
    liked.set_ylim(0, 1)
    kinds.plot(knob, [one.kinds for one in turned], "o-", color=chart.BLUE, linewidth=2)
    chart.plain(kinds, "kinds in the top ten")
    kinds.set_ylim(0, 1.1 * max(one.kinds for one in turned))
    kinds.set_xlabel("diversity")
    kinds.set_xticks(knob)
    chart.save(figure, path)
