"""What do writers see, and is anything lost, when servers of a Valkey cluster die and pause?

`python -m benchmarks.valkey_faults`: six nodes that sync their log before each answer, a load of
four writers on two open stores with `wait=1`, and a fault again and again. Each fault gets a store
of its own, whose ledger of acknowledgements is checked afterwards: a row is printed only if nothing
acknowledged is lost, and nothing is counted twice.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.acked_load import AckedLoad, acked_load, check_nothing_lost
from tests.support.valkey_servers import (
    ValkeyCluster6,
    durability,
    valkey_cluster,
    wait_until,
)

LEAST_EVENTS = 100


def primary_killed(cluster: ValkeyCluster6) -> None:
    victim = cluster.of_role("master")[0]
    victim.kill()
    wait_until(lambda: len(cluster.of_role("master")) == 3, "a replica in its place")
    victim.start()


def replica_killed(cluster: ValkeyCluster6) -> None:
    victim = cluster.of_role("slave")[0]
    victim.kill()
    time.sleep(0.5)
    victim.start()


def primary_paused(cluster: ValkeyCluster6) -> None:
    with cluster.of_role("master")[0].paused():
        time.sleep(5.0)


def replica_paused(cluster: ValkeyCluster6) -> None:
    with cluster.of_role("slave")[0].paused():
        time.sleep(5.0)


FAULTS: dict[str, Callable[[ValkeyCluster6], None]] = {
    "primary killed": primary_killed,
    "replica killed": replica_killed,
    "primary paused 5 s": primary_paused,
    "replica paused 5 s": replica_paused,
}


def go_on(load: AckedLoad) -> None:
    """Waits until the load has gone on for a while."""
    before = len(load.acked)
    wait_until(lambda: len(load.acked) > before + LEAST_EVENTS, "the load to go on")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="of a primary")
    parser.add_argument("--times", type=int, default=2, help="of each other fault")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        always = durability("always")
        with valkey_cluster(Path(place), *always) as cluster:
            for name, fault in FAULTS.items():
                times = options.kills if name == "primary killed" else options.times
                address = cluster.address_of(name.replace(" ", "-")) + "?wait=1"
                slowest: list[float] = []
                with acked_load(address) as load:
                    for _ in range(times):
                        go_on(load)
                        load.longest_s = 0.0
                        fault(cluster)
                        wait_until(cluster.whole, "a whole cluster")
                        go_on(load)
                        slowest.append(round(load.longest_s, 2))
                check_nothing_lost(address, load)
                row = {
                    "fault": name,
                    "times": times,
                    "acknowledged": len(load.acked),
                    "lost": 0,
                    "doubled": 0,
                    "refused_and_sent_again": load.unavailable,
                    "longest_event_s": slowest,
                    "longest_without_any_s": round(load.longest_gap_s(), 2),
                }
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
