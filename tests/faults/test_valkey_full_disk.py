"""The disk under a Valkey node is full: nothing acknowledged is lost or doubled.

The cluster syncs its log before each acknowledgement, and each commit waits for one replica.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.acked_load import AckedLoad, acked_load, check_nothing_lost
from tests.support.small_disk import filled, small_disk
from tests.support.valkey_servers import durability, valkey_cluster, wait_until

OPTIONS = "?wait=1&timeout_ms=700"


def go_on(load: AckedLoad) -> None:
    before = len(load.acked)
    wait_until(lambda: len(load.acked) > before + 50, "the load to go on")


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
