"""A disk under a Valkey node is full, cables are pulled: nothing acked is lost or doubled.

The cluster syncs its log before each acknowledgement, and each commit waits for one replica.
`benchmarks/valkey_faults.py` does the same for longer, and prints what clients saw.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.support.acked_load import AckedLoad, acked_load, check_nothing_lost
from tests.support.parted_network import Machine, with_parted_network
from tests.support.small_disk import filled, small_disk
from tests.support.valkey_servers import durability, valkey_cluster, wait_until

OPTIONS = "?wait=1&timeout_ms=700"
LONGER_THAN_A_FAILOVER_S = 2.5


def go_on(load: AckedLoad) -> None:
    before = len(load.acked)
    wait_until(lambda: len(load.acked) > before + 50, "the load to go on")


def test_cables_that_are_pulled_lose_nothing_that_was_acked(tmp_path: Path) -> None:
    def pull(machines: Sequence[Machine]) -> None:
        *of_nodes, of_servers = machines
        with valkey_cluster(tmp_path, *durability("always"), machines=of_nodes) as cluster:
            address = cluster.address_of("cables") + OPTIONS
            with ExitStack() as ended:
                with of_servers.entered():
                    load = ended.enter_context(acked_load(address))
                go_on(load)
                with of_servers.cut_off():
                    time.sleep(1.0)
                go_on(load)
                # The servers still reach it, and no other node does: another one takes over.
                own = of_nodes[cluster.nodes.index(cluster.of_role("master")[0])]
                with own.parted_from([one for one in of_nodes if one is not own]):
                    time.sleep(LONGER_THAN_A_FAILOVER_S)
                wait_until(cluster.whole, "a whole cluster")
                go_on(load)
            check_nothing_lost(address, load)
            assert load.unavailable > 0

    with_parted_network(7, pull)


def test_a_full_disk_under_a_node_loses_nothing_that_was_acked(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", 32) as disk,
        valkey_cluster(
            tmp_path / "six", *durability("always"), first_home=disk / "node"
        ) as cluster,
    ):
        address = cluster.address_of("disk") + OPTIONS
        with acked_load(address) as load:
            go_on(load)
            victim, process = cluster.nodes[0], cluster.nodes[0].process
            assert process is not None
            with filled(disk):  # What can't be synced is not acknowledged: the node ends.
                wait_until(lambda: process.poll() is not None, "the node to end")
                wait_until(lambda: len(cluster.of_role("master")) == 3, "a replica in its place")
            victim.start()
            wait_until(cluster.whole, "a whole cluster")
            go_on(load)
        check_nothing_lost(address, load)
