"""Plans fleets for 1 million, 100 million and 1 billion users, on measured costs.

    python -m benchmarks.fleet

Reads docs/data/costs.json and, if it is there, docs/data/capacity.json; writes docs/data/fleet.json
and docs/images/fleet.png. Needs the extra `simulation`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.costs.cost_file import COSTS, read_costs
from benchmarks.fleet.call_costs import CallCosts
from benchmarks.fleet.fleet_assumptions import FleetAssumptions, assumption_rows
from benchmarks.fleet.fleet_picture import draw_fleet
from benchmarks.fleet.fleet_plan import capacity_of, plan, server_costs
from benchmarks.fleet.measured_server import CAPACITY, calls_at_work
from penchant.system.durable_file import write_whole

FLEET = COSTS.with_name("fleet.json")
USERS = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
_ITEMS_OF_CAPACITY = 2000


def calibrated(given: FleetAssumptions, costs: CallCosts, capacity: Path) -> FleetAssumptions:
    """The assumptions with what a measured server says of Triton and of a ranking in a server."""
    if not capacity.is_file():
        return given
    work = calls_at_work(capacity)
    alone_us = costs.rank_us(_ITEMS_OF_CAPACITY, given.dimensions, given.k)
    factor = round(max(1.0, work.rank_us / alone_us), 2)
    return replace(given, server_factor=factor, triton_us=round(work.triton_us))


def main() -> None:
    """Plans, prints a line a fleet, and writes the file and the picture."""
    costs = CallCosts(read_costs())
    given = calibrated(FleetAssumptions(), costs, CAPACITY)
    bears = capacity_of(given, costs)
    sizes = [plan(users, given, costs, bears) for users in USERS]
    for one in sizes:
        print(
            f"{one.users:,} users: {one.servers:,} servers (calls {one.for_calls:,}, memory "
            f"{one.for_memory:,}, disk {one.for_disk:,}), {one.disk_gb:,.0f} GB of disk"
        )
    content = {
        "command": "python -m benchmarks.fleet",
        "assumptions": assumption_rows(given),
        "fleets": [one.as_dict() for one in sizes],
    }
    write_whole(FLEET, json.dumps(content, indent=1) + "\n")
    draw_fleet(sizes, given, server_costs(given, costs), COSTS.parents[1] / "images/fleet.png")


if __name__ == "__main__":
    main()
