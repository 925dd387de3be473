"""Cables are pulled between servers and Valkey nodes: nothing acked is lost, no event counts twice.

The cluster syncs its log before each acknowledgement, and each commit waits for one replica.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.support.acked_load import AckedLoad, acked_load, check_nothing_lost
from tests.support.parted_network import Machine, with_parted_network
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
                    wait_until(lambda: load.unavailable > 0, "a call without an answer")
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
