"""Charts of an evaluation's report, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from penchant.evaluation import metrics
from penchant.evaluation.interest_drift import Drift
from penchant.evaluation.replay import ReplayResult
from penchant.evaluation.summary import CountRange
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream
from penchant.report import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE = (
    CountRange(0, 0),
    CountRange(1, 2),
    CountRange(3, 5),
    CountRange(6, 10),
    CountRange(11, 20),
    CountRange(21, 40),
    CountRange(41, 80),
    CountRange(81, 160),
    CountRange(161, None),
)
"""Number of the user's earlier events: the points of the learning curve."""

PERIODS = 20
"""Points over the stream's time, each over an equal number of rankings."""

_SIZE = (9.0, 4.2)


def learning_curve(
    stream: Stream, targets: EvaluationTargets, results: Sequence[ReplayResult], k: int, seed: int
) -> bytes:
    """Plots recall@k by the number of the user's earlier events, with 95 % intervals."""
    figure, axes = _figure()
    user = stream.user[targets.positions]
    bands = [band for band in CURVE if band.holds(targets.earlier).any()]
    places = range(len(bands))
    for one, colour in zip(results, chart.colours(len(results)), strict=True):
        points = []
        for band in bands:
            inside = band.holds(targets.earlier)
            hits = metrics.recall(one.rank[inside], k)[:, None]
            points += metrics.estimates(hits, user[inside], seed)
        low, high = [point.low for point in points], [point.high for point in points]
        chart.band(axes, places, low, high, colour)
        axes.plot(places, [point.mean for point in points], "o-", color=colour, label=one.name)
    axes.set_xticks(places, [str(band) for band in bands])
    axes.set_xlabel("events that the user had before")
    return _png(figure, axes, f"recall@{k}")


def over_time(
    stream: Stream, targets: EvaluationTargets, results: Sequence[ReplayResult], k: int
) -> bytes:
    """Plots recall@k over the stream's time, with a mark at each refit and fine-tuning."""
    figure, axes = _figure()
    again = [position for position, _ in results[0].fit_s[1:]]
    finetuned = [position for position in again if position in results[0].finetuned_at]
    refitted = [position for position in again if position not in finetuned]
    _mark(axes, "fitted again", "^", "--", [_day(stream, one) for one in refitted])
    _mark(axes, "fine-tuned, and fitted again", "*", "-", [_day(stream, one) for one in finetuned])
    periods = np.array_split(np.arange(len(targets.positions)), PERIODS)
    periods = [period for period in periods if len(period)]
    days = [_day(stream, int(targets.positions[period[len(period) // 2]])) for period in periods]
    for one, colour in zip(results, chart.colours(len(results)), strict=True):
        hits = metrics.recall(one.rank, k)
        means = [float(hits[period].mean()) for period in periods]
        axes.plot(days, means, "-", color=colour, label=one.name)
    axes.xaxis_date()
    axes.set_xlabel("time of the event")
    return _png(figure, axes, f"recall@{k}")


def _mark(axes: Axes, label: str, marker: str, line: str, days: Sequence[float]) -> None:
    """Marks moments: a line from top to bottom, and a marker on the time axis, both visible."""
    if not days:
        return
    for day in days:
        axes.axvline(day, color=chart.GREY, linestyle=line, linewidth=1)
    axes.plot(
        days,
        [0.0] * len(days),
        marker,
        color=chart.INK,
        markersize=7,
        label=label,
        transform=axes.get_xaxis_transform(),
        clip_on=False,
        zorder=5,
    )


def drift(users: Sequence[Drift]) -> bytes:
    """Plots the cosine of each user's slow interest with the last one, ranking by ranking."""
    figure, axes = _figure()
    for one, colour in zip(users, chart.colours(len(users)), strict=True):
        axes.plot(one.to_last, "-", color=colour, label=f"user {one.user[:24]}")
    axes.set_xlabel("rankings for the user")
    return _png(figure, axes, "cosine with the last interest")


def _figure() -> tuple[Figure, Axes]:
    figure = chart.new_figure(_SIZE)
    return figure, figure.subplots()


def _png(figure: Figure, axes: Axes, label: str) -> bytes:
    axes.set_ylim(top=None, bottom=min(0.0, axes.get_ylim()[0]))
    chart.plain(axes, label)
    chart.legend(axes, columns=2)
    return chart.png(figure)


def _day(stream: Stream, position: int) -> float:
    """Days since 1970, the unit of matplotlib's date axes."""
    return float(stream.at_us[position]) / 86_400e6
