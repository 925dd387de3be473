"""Writes the tables of docs/scaling.md from the data files beside it: no figure is copied by hand.

    python -m benchmarks.scaling_page [--check]

A table stands between `<!-- NAME -->` and `<!-- end -->`. With --check, exit status 1 says that the
page is not what the data files say.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.costs.cost_curve import CostCurve
from benchmarks.costs.cost_file import read_costs
from penchant.system.durable_file import write_whole

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "scaling.md"
_SECTION = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """The page with every table as the data files have it."""
    return _SECTION.sub(lambda match: _section(match[1]), text)


def _section(name: str) -> str:
    return f"<!-- {name} -->\n\n{_SECTIONS[name]()}\n\n<!-- end -->"


def _data(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DOCS / "data" / name).read_text(encoding="utf-8"))
    return content


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _costs() -> str:
    """Processor time by size."""
    rows = [
        [
            one.what,
            one.axis,
            f"{one.sizes[0]:,} to {one.sizes[-1]:,}",
            f"{_short(one.cost[0])} to {_short(one.cost[-1])}",
            f"{one.ratio[-1]:.2f} ×",
            _slope(one),
            f"{one.last_slope:.2f}",
        ]
        for one in read_costs().values()
        if one.unit == "us"
    ]
    columns = ["call", "size", "from, to", "µs", "ratio", "slope", "slope of the last step"]
    return _table(columns, rows)


def _bytes() -> str:
    """What is kept, by size."""
    rows = [
        [
            one.what.removeprefix("bytes "),
            one.axis,
            ", ".join(f"{size:,}" for size in one.sizes),
            ", ".join(_short(cost) for cost in one.cost),
            f"{one.last_slope:.2f}",
        ]
        for one in read_costs().values()
        if one.unit == "bytes"
    ]
    return _table(["bytes of", "size", "at", "bytes", "slope of the last step"], rows)


def _measured_on() -> str:
    content = _data("costs.json")
    return f"Measured on: {content['machine']}; {content['rounds']} rounds."


def _assumptions() -> str:
    rows = [list(row) for row in _data("fleet.json")["assumptions"]]
    return _table(["assumption", "value"], rows)


def _fleets() -> str:
    fleets = _data("fleet.json")["fleets"]
    names: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("rankings a second, at the peak", lambda one: _short(one["rankings_per_s"])),
        ("events a second, at the peak", lambda one: _short(one["events_per_s"])),
        ("calls a second that one server bears", lambda one: _short(one["per_server"])),
        ("servers for the calls", lambda one: f"{one['for_calls']:,}"),
        ("servers for hot records in memory", lambda one: f"{one['for_memory']:,}"),
        ("servers for records and log on disk", lambda one: f"{one['for_disk']:,}"),
        ("**servers**", lambda one: f"**{one['servers']:,}**"),
        ("memory of one, GB", lambda one: f"{one['memory_gb']:,.1f}"),
        ("disk of all, copies included, GB", lambda one: _short(one["disk_gb"])),
        ("network of one at the peak, MB/s", lambda one: f"{one['network_mb_per_s']:.2f}"),
        ("seconds from a fault until the p99 holds again", lambda one: f"{one['outage_s']:.1f}"),
        ("core hours to fold everybody again", lambda one: f"{one['refold_core_hours']:,.2f}"),
        ("hours of that, all servers, beside the peak", lambda one: f"{one['refold_hours']:.3f}"),
    ]
    rows = [[name, *map(shown, fleets)] for name, shown in names]
    return _table(["", *(f"{one['users']:,} users" for one in fleets)], rows)


def _checks() -> str:
    rows = [
        [
            one["what"],
            one["against"],
            f"{one['predicted']:.2f}",
            f"{one['measured']:.2f} ({one['low']:.2f} to {one['high']:.2f})",
            f"{one['off']:+.0%}",
        ]
        for one in _data("cost_check.json")["checks"]
    ]
    columns = ["cost", "over that of", "predicted ratio", "measured ratio", "prediction is off by"]
    return _table(columns, rows)


def _prediction() -> str:
    content = _data("prediction.json")
    rows = [
        [
            str(one["rank_processes"]),
            "yes" if one["fitted"] else "no",
            f"{one['predicted_per_s']:,.0f}",
            f"{one['measured_per_s']:,.0f} ({one['low_per_s']:,.0f} to {one['high_per_s']:,.0f})",
            f"{one['predicted_per_s'] / one['measured_per_s'] - 1:+.0%}",
            f"{one['others_cores']:.2f}",
        ]
        for one in content["rows"]
    ]
    columns = ["processes that rank", "calibrated on it", "predicted, calls/s", "measured, calls/s"]
    return _table([*columns, "off by", "cores of other programs"], rows)


def _capacity() -> str:
    content = _data("capacity.json")
    low, high = content["interval_90_per_s"]
    levels = content["levels"]
    used = [
        max(0.0, one["machine_cores"] - sum(one["cores"].values()) - one["sender_cores"])
        for one in levels
    ]
    return (
        f"{content['about'][0].upper()}{content['about'][1:]}. {content['service_level']}: "
        f"{content['capacity_per_s']:,.0f} calls per second, 90 % interval {low:,.0f} to "
        f"{high:,.0f}, after {len(levels)} levels. {content['saturates']} Other programs used "
        f"{min(used):.2f} to {max(used):.2f} of the machine's {levels[0]['machine_has']} cores "
        "meanwhile."
    )


def _served() -> str:
    """What calls cost on each store."""
    rows = [
        [
            one["calls"],
            "LMDB" if one["fleet"] == "lmdb" else "Valkey",
            f"{one['per_s']:,}",
            _short(one["server_us"]),
            "" if one["fleet"] == "lmdb" else _short(one["store_us"]),
            "" if one["fleet"] == "lmdb" else f"**{one['ratio']:.2f} ×**",
        ]
        for one in _data("valkey_served.json")["rows"]
        if one["fleet"] in ("lmdb", "valkey")
    ]
    columns = ["calls", "store", "calls/s", "µs of the server", "µs of Valkey", "of LMDB's calls/s"]
    return _table(columns, rows)


def _two_servers() -> str:
    """Two servers on one Valkey, as one predicts them and as they were."""
    content = _data("valkey_served.json")["rows"]
    ones = {one["calls"]: one for one in content if one["fleet"] == "valkey"}
    rows = []
    for two in content:
        if two["fleet"] in ("lmdb", "valkey"):
            continue
        one = ones[two["calls"]]
        rows.append(
            [
                two["calls"],
                *(f"{_short(one[part])}, {_short(two[part])}" for part in _PARTS),
                f"1.00 ×, {two['ratio']:.2f} ×",
                _short(1e6 / one["store_us"]),
            ]
        )
    columns = ["calls", "µs of a server, predicted and measured", "µs of Valkey"]
    return _table([*columns, "calls/s of one server", "Valkey is full at, calls/s"], rows)


_PARTS = ("server_us", "store_us")


def _taken() -> str:
    content = _data("valkey_served.json")
    taken = content["bytes_a_user"]
    return (
        f"A user of 30 events, 3 of them in the log, takes {_short(taken['lmdb'])} bytes of an "
        f"LMDB file and {_short(taken['valkey'])} bytes of Valkey's memory. Measured on: "
        f"{content['machine']}; {len(content['rounds'][0]['per_s'])} rounds."
    )


def _soak() -> str:
    """What processes and the store held over half an hour, every few minutes."""
    content = _data("valkey_soak.json")
    rows = [
        [
            f"{one['minute']:.0f}",
            f"{one['servers_mib']:,.1f}",
            f"{one['servers_files']:,}",
            f"{one['nodes_mib']:,.1f}",
            f"{one['nodes_files']:,}",
            f"{one['log_rows']:,}",
            f"{one['store_mib']:,.1f}",
        ]
        for one in content["rows"]
    ]
    columns = ["minute", "servers, MiB", "descriptors", "nodes, MiB", "descriptors"]
    return _table([*columns, "events in the log", "memory of the primaries, MiB"], rows)


def _slope(curve: CostCurve) -> str:
    return f"{curve.slope:.2f} ± {max(curve.slope_error, 0.005):.2f}"


def _short(value: float) -> str:
    """A number with about three significant digits.

    >>> _short(12_345.6), _short(12.34), _short(0.5)
    ('12,300', '12.3', '0.5')
    """
    if value >= 1000:
        digits = len(str(round(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


_SECTIONS: dict[str, Callable[[], str]] = {
    "costs": _costs,
    "bytes": _bytes,
    "measured_on": _measured_on,
    "assumptions": _assumptions,
    "fleets": _fleets,
    "checks": _checks,
    "prediction": _prediction,
    "capacity": _capacity,
    "served": _served,
    "two_servers": _two_servers,
    "taken": _taken,
    "soak": _soak,
}


def main() -> int:
    """Writes the page, or says whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    if options.check:
        return int(filled(text) != text)
    write_whole(PAGE, filled(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
