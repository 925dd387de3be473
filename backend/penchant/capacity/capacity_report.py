"""The report of a search: a table of levels, and the picture of the knee."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penchant.capacity.capacity_search import CapacityFound
from penchant.capacity.measured_level import MeasuredLevel
from penchant.report import chart
from penchant.report.printable import printable
from penchant.report.text_table import TextTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE = "capacity.png"


def table(found: CapacityFound) -> TextTable:
    """The levels by rate."""
    rows = [
        [
            f"{one.rate:,.0f}",
            f"{one.answered_per_s:,.0f}",
            f"{one.p50_ms:.1f}",
            f"{one.p99_ms:.1f}",
            f"{one.slow_share:.1%}",
            f"{one.failed_share:.2%}",
            f"{sum(one.cores.values()):.2f}" if one.cores else "?",
            f"{one.others_cores:.2f}",
            ("holds" if one.holds else "fails") + f" {max(one.chance, 1 - one.chance):.0%}",
        ]
        for one in _by_rate(found.levels)
    ]
    columns = ["calls/s", "answered/s", "p50 ms", "p99 ms", "slow", "failed", "server's cores"]
    return TextTable("Levels", [*columns, "others' cores", "service level"], rows)


def sentences(found: CapacityFound) -> list[str]:
    """The outcome in words."""
    interval, kept = found.interval, found.service.describe()
    if found.outside == "below":
        return [f"Not even {interval.low:,.0f} calls per second keep this: {kept}."]
    if found.outside == "above":
        return [f"More than {interval.high:,.0f} calls per second keep this: {kept}."]
    lines = [
        f"Capacity: {interval.middle:,.0f} calls per second (90 % interval {interval.low:,.0f} to "
        f"{interval.high:,.0f}) keep this: {kept}."
    ]
    if not found.finished:
        lines.append("The search ended before the interval was as narrow as asked for.")
    failed: Counter[str] = Counter()
    for one in found.levels:
        failed.update(one.errors)
    if failed:
        reasons = ", ".join(f"{count:,} {printable(name)}" for name, count in failed.most_common(3))
        lines.append(f"Failed calls of all levels: {reasons}.")
    if found.full is not None:
        lines += [f"Saturates: {found.full.what}", f"What helps: {found.full.advice}"]
    return lines


def draw(found: CapacityFound, path: Path) -> None:
    """Draws latency, throughput and cores over the rate to a PNG file.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    levels = _by_rate(found.levels)
    interval = found.interval
    figure = chart.new_figure((8.0, 8.4), _title(found))
    latency, throughput, cores = figure.subplots(3, 1, sharex=True)
    rates = [one.rate for one in levels]
    for axes in (latency, throughput, cores):
        axes.axvspan(interval.low, interval.high, color=chart.GREEN, alpha=0.15, linewidth=0)
        axes.set_xscale("log")
    for name, values, colour in (
        ("p99", [one.p99_ms for one in levels], chart.GREEN),
        ("p50", [one.p50_ms for one in levels], chart.BLUE),
    ):
        latency.plot(rates, values, "o-", color=colour, markersize=4, label=name)
    latency.axhline(found.service.p99_ms, color=chart.RED, linestyle="--", linewidth=1)
    latency.set_yscale("log")
    chart.plain(latency, "ms", "latency from when a call was due; dashed: the p99 to keep")
    chart.legend(latency, "upper left")
    throughput.plot(rates, rates, color=chart.LIGHT, linewidth=1, label="asked for")
    answered = [one.answered_per_s for one in levels]
    throughput.plot(rates, answered, "o-", color=chart.GREEN, markersize=4, label="answered")
    throughput.set_yscale("log")
    chart.plain(throughput, "calls per second")
    chart.legend(throughput, "upper left")
    _draw_cores(cores, levels, rates)
    cores.set_xlabel("calls per second that were sent; shaded: 90 % interval of the capacity")
    chart.save(figure, path)


def _draw_cores(axes: Axes, levels: Sequence[MeasuredLevel], rates: Sequence[float]) -> None:
    names = list(dict.fromkeys(name for one in levels for name in one.cores))
    busy = [name for name in names if max(one.cores.get(name, 0.0) for one in levels) > 0.02]
    series = [(name, [one.cores.get(name, 0.0) for one in levels]) for name in busy]
    series.append(("senders", [one.sender_cores for one in levels]))
    series.append(("other programs", [one.others_cores for one in levels]))
    for (name, values), colour in zip(series, chart.colours(len(series)), strict=True):
        style = ":" if name in ("senders", "other programs") else "-"
        axes.plot(rates, values, f"o{style}", color=colour, markersize=3, label=name)
    chart.plain(axes, "cores", "processor time a second, by process")
    chart.legend(axes, "upper left", 2)


def _title(found: CapacityFound) -> str:
    if found.outside:
        return sentences(found)[0]
    return f"Capacity: {found.interval.middle:,.0f} calls per second"


def _by_rate(levels: Sequence[MeasuredLevel]) -> list[MeasuredLevel]:
    return sorted(levels, key=lambda one: one.rate)
