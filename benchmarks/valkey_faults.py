"""What do writers see, and is anything lost, when something happens to the servers of a cluster?

`python -m benchmarks.valkey_faults`: six nodes that sync their log before each answer, a load of
four writers on two open stores with `wait=1`, and a fault again and again. Each fault gets a store
of its own, whose ledger of acknowledgements is checked afterwards: a row is printed only if nothing
acknowledged is lost, and nothing is counted twice.

Full disks and pulled cables need to mount a small file system, and to make network namespaces; a
row says where that is not allowed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.support.acked_load import AckedLoad, acked_load, check_nothing_lost
from tests.support.parted_network import Machine, with_parted_network
from tests.support.small_disk import filled, small_disk
from tests.support.valkey_servers import (
    ValkeyCluster6,
    ValkeyNode,
    durability,
    valkey_cluster,
    wait_until,
)

LEAST_EVENTS = 100
_ALWAYS = durability("always")
_PAUSE_S = 5.0

Fault = Callable[[ValkeyCluster6], None]


def primary_killed(cluster: ValkeyCluster6) -> None:
    """Starts it again as a replica of the node that took over."""
    victim = cluster.of_role("master")[0]
    victim.kill()
    wait_until(lambda: len(cluster.of_role("master")) == 3, "a replica in its place")
    victim.start()


def replica_killed(cluster: ValkeyCluster6) -> None:
    """Starts it again after half a second."""
    victim = cluster.of_role("slave")[0]
    victim.kill()
    time.sleep(0.5)
    victim.start()


def primary_paused(cluster: ValkeyCluster6) -> None:
    """Until long after its replica took over."""
    with cluster.of_role("master")[0].paused():
        time.sleep(_PAUSE_S)


def replica_paused(cluster: ValkeyCluster6) -> None:
    """Meanwhile its primary has no other."""
    with cluster.of_role("slave")[0].paused():
        time.sleep(_PAUSE_S)


KILLS_AND_PAUSES: dict[str, Fault] = {
    "primary killed": primary_killed,
    "replica killed": replica_killed,
    "primary paused 5 s": primary_paused,
    "replica paused 5 s": replica_paused,
}


def machine_of(node: ValkeyNode, cluster: ValkeyCluster6, machines: Sequence[Machine]) -> Machine:
    """The machine on which a node runs."""
    return machines[cluster.nodes.index(node)]


def primary_cut_off(cluster: ValkeyCluster6, machines: Sequence[Machine]) -> None:
    """Neither nodes nor servers reach it."""
    with machine_of(cluster.of_role("master")[0], cluster, machines).cut_off():
        time.sleep(_PAUSE_S)


def primary_parted(cluster: ValkeyCluster6, machines: Sequence[Machine]) -> None:
    """Servers reach it, but no other node does."""
    own = machine_of(cluster.of_role("master")[0], cluster, machines)
    with own.parted_from([one for one in machines[:6] if one is not own]):
        time.sleep(_PAUSE_S)


def replica_parted(cluster: ValkeyCluster6, machines: Sequence[Machine]) -> None:
    """The same of a replica."""
    own = machine_of(cluster.of_role("slave")[0], cluster, machines)
    with own.parted_from([one for one in machines[:6] if one is not own]):
        time.sleep(_PAUSE_S)


def servers_cut_off(cluster: ValkeyCluster6, machines: Sequence[Machine]) -> None:
    """The servers of Penchant, all of which run on the last machine, reach no node."""
    with machines[-1].cut_off():
        time.sleep(_PAUSE_S)


PARTITIONS: dict[str, Callable[[ValkeyCluster6, Sequence[Machine]], None]] = {
    "primary cut off 5 s": primary_cut_off,
    "primary parted from the other nodes 5 s": primary_parted,
    "replica parted from the other nodes 5 s": replica_parted,
    "servers cut off from the store 5 s": servers_cut_off,
}


def go_on(load: AckedLoad) -> None:
    """Waits until the load has gone on for a while."""
    before = len(load.acked)
    wait_until(lambda: len(load.acked) > before + LEAST_EVENTS, "the load to go on")


def measure(
    cluster: ValkeyCluster6,
    name: str,
    fault: Callable[[], None],
    times: int,
    inside: AbstractContextManager[object] | None = None,
) -> None:
    """Has a fault happen some times under load, and prints what was seen."""
    address = cluster.address_of(name.replace(" ", "-")) + "?wait=1"
    slowest: list[float] = []
    with ExitStack() as ended:
        with inside or contextlib.nullcontext():
            load = ended.enter_context(acked_load(address))
        for _ in range(times):
            go_on(load)
            load.longest_s = 0.0
            fault()
            wait_until(cluster.whole, "a whole cluster", timeout_s=60.0)
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


def kills_and_pauses(place: Path, kills: int, times: int) -> None:
    """Processes die and stop."""
    with valkey_cluster(place, *_ALWAYS) as cluster:
        for name, fault in KILLS_AND_PAUSES.items():
            count = kills if name == "primary killed" else times
            measure(cluster, name, partial(fault, cluster), count)


def partitions(place: Path, times: int) -> None:
    """Cables are pulled; the servers of Penchant run on a seventh machine."""

    def run(machines: Sequence[Machine]) -> None:
        with valkey_cluster(place, *_ALWAYS, machines=machines[:6]) as cluster:
            for name, fault in PARTITIONS.items():
                inside = machines[-1].entered()
                measure(cluster, name, partial(fault, cluster, machines), times, inside)

    with_parted_network(7, run)


def full_disks(place: Path, times: int) -> None:
    """The disk of a primary has no space left; with a log that is synced always, it ends."""
    with (
        small_disk(place, 64) as disk,
        valkey_cluster(place.with_name("others"), *_ALWAYS, first_home=disk / "node") as cluster,
    ):
        victim = cluster.nodes[0]

        def fill() -> None:
            process = victim.process
            assert process is not None
            with filled(disk):
                wait_until(lambda: process.poll() is not None, "the node to end")
                wait_until(lambda: len(cluster.of_role("master")) == 3, "a replica in its place")
            victim.start()
            wait_until(cluster.whole, "a whole cluster")
            victim.command("CLUSTER", "FAILOVER")  # It is a primary again, for the next time.
            wait_until(lambda: victim.role() == "master", "the node as a primary")

        measure(cluster, "full disk of a primary", fill, times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="of a primary")
    parser.add_argument("--times", type=int, default=2, help="of each other fault")
    parser.add_argument(
        "--only", choices=["kills", "partitions", "disks"], help="one kind of faults"
    )
    options = parser.parse_args()
    kinds: dict[str, Callable[[Path], None]] = {
        "kills": lambda place: kills_and_pauses(place, options.kills, options.times),
        "disks": lambda place: full_disks(place / "disk", options.times),
        "partitions": lambda place: partitions(place, options.times),
    }
    for kind, run in kinds.items():
        if options.only in (None, kind):
            with tempfile.TemporaryDirectory() as place:
                try:
                    run(Path(place))
                except pytest.skip.Exception as skipped:
                    print(json.dumps({"faults": kind, "skipped": str(skipped)}), flush=True)


if __name__ == "__main__":
    main()
