"""Charts of the games demo: truly liked share by session, effect of diversity, switch of taste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from demos.games.diversity_sweep import DiversityPoint
from penchant.domain.arrays import Float64
from penchant.report import chart

_NAME_HEIGHT = 0.055
"""Smallest distance between two names beside the last points, in units of the y axis."""

_LOOKS: Mapping[str, tuple[str, str]] = {
    "the truth": (chart.INK, ":"),
    "Penchant": (chart.GREEN, "o-"),
    "popularity": (chart.GREY, "o--"),
    "chance": (chart.BLUE, "o--"),
}


def draw_sessions(shares: Mapping[str, Float64], drift_at: int, path: Path) -> None:
    """Draws the truly liked share of the top ten by session, one line for each recommender.

    Args:
        shares: shares by recommender, each of shape (sessions, players).
        drift_at: index of the first session with the new taste.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((8.0, 4.6), "How much of each list do players truly like?")
    axes = figure.subplots()
    sessions, players = next(iter(shares.values())).shape
    numbers = np.arange(1, sessions + 1)
    height = 2.0
    for name, mine in sorted(shares.items(), key=lambda pair: -pair[1][-1].mean()):
        colour, style = _LOOKS[name]
        mean, error = mine.mean(1), 1.96 * mine.std(1) / np.sqrt(players)
        low, high = np.clip(mean - error, 0, 1), np.clip(mean + error, 0, 1)
        chart.band(axes, numbers.tolist(), low.tolist(), high.tolist(), colour)
        axes.plot(numbers, mean, style, color=colour, linewidth=2, markersize=5)
        height = min(float(mean[-1]), height - _NAME_HEIGHT)
        axes.text(sessions + 0.25, height, name, va="center", fontsize=9, color=colour)
    axes.axvline(drift_at + 0.5, color=chart.LIGHT, linewidth=1)
    axes.text(
        drift_at + 0.6, 1.03, "one of two tastes changes", color=chart.GREY, fontsize=9, va="bottom"
    )
    axes.set_xlabel("session of the player (bands: 95 %)")
    chart.plain(axes, "share of the top ten")
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0.8, sessions + 1.6)
    axes.set_xticks(numbers.tolist())
    axes.set_title(
        f"{players} simulated players of Debian's games; lists hold only games new to the player",
        loc="left", fontsize=9, color=chart.GREY, pad=18,
    )  # fmt: skip
    chart.save(figure, path)


def draw_switch(lines: Mapping[str, Sequence[float]], chance: float, path: Path) -> None:
    """Draws the share of a new genre in the top ten, by the number of events of the new taste.

    Args:
        lines: shares before the first event and after each event, by name.
        chance: share of the genre in the catalog.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((6.4, 4.2), "How soon does a list follow a new taste?")
    axes = figure.subplots()
    for (name, line), colour in zip(
        lines.items(), (chart.GREEN, chart.GREY, chart.BLUE), strict=False
    ):
        axes.plot(range(len(line)), line, "o-", color=colour, linewidth=2, label=name)
    axes.axhline(chance, color=chart.LIGHT, linestyle="--")
    events = len(next(iter(lines.values()))) - 1
    axes.text(
        events, chance - 0.01, "share of the catalog", color=chart.GREY, fontsize=9,
        ha="right", va="top",
    )  # fmt: skip
    axes.set_xticks(range(events + 1))
    axes.set_xlabel("events of the new taste, in one session")
    chart.plain(axes, "share of the new genre in the top ten")
    axes.set_ylim(0, 1)
    chart.legend(axes, "upper left")
    chart.save(figure, path)


def draw_diversity(points: Sequence[DiversityPoint], path: Path) -> None:
    """Draws the truly liked share and the number of genres in a list, by diversity.

    Args:
        points: one point for each diversity.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((6.4, 4.6), "The price of diversity: fewer liked games")
    liked, genres = figure.subplots(2, sharex=True)
    diversity = [one.diversity for one in points]
    liked.plot(diversity, [one.liked for one in points], "o-", color=chart.GREEN, linewidth=2)
    chart.plain(liked, "truly liked share")
    liked.set_ylim(0, 1)
    genres.plot(diversity, [one.genres for one in points], "o-", color=chart.BLUE, linewidth=2)
    chart.plain(genres, "genres in the top ten")
    genres.set_ylim(0, 1.1 * max(one.genres for one in points))
    genres.set_xlabel("diversity")
    genres.set_xticks(diversity)
    chart.save(figure, path)
