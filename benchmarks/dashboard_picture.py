"""Draws the dashboard's panels with the data of a running Prometheus."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.live_prometheus import LivePrometheus
from deploy.dashboards.dashboard_panels import ROWS, DashboardPanel

COLUMNS = 3
MOST_CURVES = 8
"""Of a panel; more would hide one another."""


def draw(
    prometheus: LivePrometheus,
    begin_s: float,
    end_s: float,
    moments: Sequence[tuple[float, str]],
    output: Path,
) -> None:
    """Writes a picture of all panels.

    Args:
        prometheus: holds the data.
        begin_s: begin of the time that is drawn, in epoch seconds.
        end_s: its end.
        moments: times in epoch seconds to mark, with a word each.
        output: the picture, as PNG.
    """
    mpl.use("Agg")
    lines = [-(-len(row.panels) // COLUMNS) for row in ROWS]
    figure = plt.figure(figsize=(6 * COLUMNS, 2.6 * sum(lines)), layout="constrained")
    parts = figure.subfigures(len(ROWS), 1, height_ratios=lines, squeeze=False)
    for row, part, count in zip(ROWS, parts[:, 0], lines, strict=True):
        part.suptitle(row.title, x=0.01, ha="left", fontweight="bold")
        axes = part.subplots(count, COLUMNS, squeeze=False).flatten()
        for panel, chart in zip(row.panels, axes, strict=False):
            _draw_panel(prometheus, panel, chart, begin_s, end_s, moments)
        for chart in axes[len(row.panels) :]:
            chart.set_visible(False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=60)


def _draw_panel(
    prometheus: LivePrometheus,
    panel: DashboardPanel,
    chart: Axes,
    begin_s: float,
    end_s: float,
    moments: Sequence[tuple[float, str]],
) -> None:
    chart.set_title(f"{panel.title} ({panel.unit})", fontsize=9)
    chart.tick_params(labelsize=7)
    chart.set_xlim(0, end_s - begin_s)
    curves = [
        (_name(query.legend, labels) or panel.title, points)
        for query in panel.queries
        for labels, values in prometheus.curves(_filled(query.expression), begin_s, end_s)
        if (points := [(at_s - begin_s, one) for at_s, one in values if math.isfinite(one)])
    ]
    # The tallest, where there are too many: zeros lie under one another anyway.
    curves.sort(key=lambda curve: -max(value for _, value in curve[1]))
    for name, points in curves[:MOST_CURVES]:
        chart.plot(*zip(*points, strict=True), linewidth=1, label=name)
    for at_s, word in moments:
        chart.axvline(at_s - begin_s, color="grey", linewidth=0.5, linestyle=":")
        if panel is ROWS[0].panels[0]:
            top = chart.get_xaxis_transform()
            chart.text(at_s - begin_s, 0.02, word, transform=top, fontsize=5, rotation=90)
    if curves:
        chart.legend(fontsize=6, loc="upper left")
    else:
        chart.text(0.5, 0.5, "no data in this run", transform=chart.transAxes, ha="center")


def _filled(expression: str) -> str:
    """An expression as Grafana would send it."""
    return expression.replace("$instance", ".*").replace("$__rate_interval", "10s")


def _name(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda one: labels.get(one[1], ""), legend)
