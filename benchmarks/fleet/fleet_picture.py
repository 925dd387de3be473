"""The picture of the plan: servers over users, and the p99 of one server over its load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.fleet.fleet_assumptions import FleetAssumptions
from benchmarks.fleet.fleet_plan import FleetSize, p99_ms
from benchmarks.fleet.server_queue import OfferedLoad, ServerCosts, ServerShape, simulated
from penchant.report import chart

_LOADS = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05)
_CALLS = 12_000


def draw_fleet(
    sizes: Sequence[FleetSize], given: FleetAssumptions, costs: ServerCosts, path: Path
) -> None:
    """Draws both to a PNG file."""
    figure = chart.new_figure((9.6, 4.0), "Servers for so many users, by simulation")
    left, right = figure.subplots(1, 2)
    users = [one.users for one in sizes]
    for label, values, colour in (
        ("for calls at the peak", [one.for_calls for one in sizes], chart.GREEN),
        ("for hot records in memory", [one.for_memory for one in sizes], chart.BLUE),
        ("for records and log on disk", [one.for_disk for one in sizes], chart.RED),
    ):
        left.plot(users, values, "o-", color=colour, markersize=4, label=label)
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel("users")
    chart.plain(left, "servers", f"of {given.cores} cores and {given.memory_gb:g} GB")
    chart.legend(left, "upper left")
    bears = sizes[0].per_server
    share = given.rank_share
    shape = ServerShape(given.cores, max(1, given.cores - 4))
    found: dict[str, list[float]] = {"rankings": [], "events": []}
    for part in _LOADS:
        rate = part * bears
        load = OfferedLoad(rate * share, rate * (1 - share))
        run = simulated(shape, costs, load, max(_CALLS / rate, 2.0))
        found["rankings"].append(p99_ms(run.rank_s))
        found["events"].append(p99_ms(run.feedback_s))
    for (name, p99), colour in zip(found.items(), (chart.GREEN, chart.BLUE), strict=True):
        right.plot(_LOADS, p99, "o-", color=colour, markersize=4, label=name)
    right.axhline(given.p99_ms, color=chart.RED, linestyle="--", linewidth=1)
    right.set_yscale("log")
    right.set_xlabel("load, as a share of the capacity")
    chart.plain(right, "p99 in ms", f"one server; its capacity is {bears:,.0f} calls per second")
    chart.legend(right, "upper left")
    chart.save(figure, path)
