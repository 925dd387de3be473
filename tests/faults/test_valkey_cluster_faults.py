"""Servers of a Valkey cluster die and pause under load; nothing acknowledged is lost or doubled.

The cluster syncs its log before each acknowledgement, and each commit waits for one replica.
`benchmarks/valkey_faults.py` does the same for longer, and prints what clients saw.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.acked_load import acked_load, check_nothing_lost
from tests.support.valkey_servers import ValkeyCluster6, durability, valkey_cluster, wait_until


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster6]:
    with valkey_cluster(tmp_path_factory.mktemp("six"), *durability("always")) as six:
        yield six


def address(cluster: ValkeyCluster6, name: str) -> str:
    return cluster.address_of(name) + "?wait=1&timeout_ms=700"


def goes_on(load_size: int, acked: dict[tuple[str, int], float]) -> bool:
    return len(acked) > load_size + 50


def test_a_primary_that_is_killed_loses_nothing(cluster: ValkeyCluster6) -> None:
    store = address(cluster, "primary")
    with acked_load(store) as load:
        wait_until(lambda: len(load.acked) > 50, "a load")
        victim = cluster.of_role("master")[0]
        victim.kill()
        wait_until(lambda: len(cluster.of_role("master")) == 3, "a replica in its place")
        victim.start()
        wait_until(cluster.whole, "a whole cluster")
        size = len(load.acked)
        wait_until(lambda: goes_on(size, load.acked), "the load to go on")
    check_nothing_lost(store, load)
    assert load.unavailable > 0


def test_a_replica_that_is_killed_loses_nothing(cluster: ValkeyCluster6) -> None:
    store = address(cluster, "replica")
    with acked_load(store) as load:
        wait_until(lambda: len(load.acked) > 50, "a load")
        victim = cluster.of_role("slave")[0]
        victim.kill()
        time.sleep(0.3)
        victim.start()
        wait_until(cluster.whole, "a whole cluster")
        size = len(load.acked)
        wait_until(lambda: goes_on(size, load.acked), "the load to go on")
    check_nothing_lost(store, load)


def test_a_primary_that_pauses_and_comes_back_loses_nothing(cluster: ValkeyCluster6) -> None:
    store = address(cluster, "pause")
    with acked_load(store) as load:
        wait_until(lambda: len(load.acked) > 50, "a load")
        with cluster.of_role("master")[0].paused():
            time.sleep(2.5)  # Long enough for its replica to take over.
        wait_until(cluster.whole, "a whole cluster")
        size = len(load.acked)
        wait_until(lambda: goes_on(size, load.acked), "the load to go on")
    check_nothing_lost(store, load)
