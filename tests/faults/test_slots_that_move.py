"""Slots of a Valkey cluster move to another node under load; nothing acked is lost or doubled.

They move key by key, as `valkey-cli --cluster reshard` has them (clients meet ASK and TRYAGAIN),
and as a whole, by `CLUSTER MIGRATESLOTS` of Valkey 9.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import valkey.crc

from penchant.store import conflict_retries
from penchant.store.valkey.places import Places
from tests.support.acked_load import AckedLoad, acked_load, check_nothing_lost
from tests.support.valkey_servers import (
    ValkeyCluster6,
    ValkeyNode,
    durability,
    valkey_cluster,
    wait_until,
)

Move = Callable[[ValkeyNode, ValkeyNode, int], None]
"""(from, to, slot)"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster6]:
    # No failover on a machine that is busy for a second: it would move the slots as well.
    patient = ["--cluster-node-timeout", "15000", "--cluster-manual-failover-timeout", "60000"]
    place = tmp_path_factory.mktemp("six")
    with valkey_cluster(place, *durability("always"), *patient) as six:
        yield six


def slots_of(namespace: str) -> list[int]:
    """Those of three users, of a shard of the counts, and of a shard of announcements."""
    places = Places(namespace)
    keys = [places.user(f"u{number}").rows for number in range(3)]
    keys += [places.counts[0].rows, places.pending[0]]
    return [int(valkey.crc.key_slot(key)) for key in keys]


def key_by_key(source: ValkeyNode, target: ValkeyNode, slot: int) -> None:
    source_id, target_id = (node.command("CLUSTER", "MYID") for node in (source, target))
    target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1):
        source.ask("MIGRATE", "127.0.0.1", target.port, *keys, 0, 60_000, timeout_s=90.0)
        time.sleep(0.05)  # Meanwhile, some keys of one user are here, and some are there.
    for node in (target, source):
        node.command("CLUSTER", "SETSLOT", slot, "NODE", target_id)


def as_a_whole(source: ValkeyNode, target: ValkeyNode, slot: int) -> None:
    target_id = target.command("CLUSTER", "MYID")
    source.command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target_id)
    wait_until(lambda: serves(target, slot), f"slot {slot} at {target.name}")


def serves(node: ValkeyNode, slot: int) -> bool:
    """Whether a node knows that it serves a slot."""
    ranges = node.ask("CLUSTER", "SLOTS")
    return any(low <= slot <= high and primary[1] == node.port for low, high, primary, *_ in ranges)


@pytest.mark.parametrize("move", [key_by_key, as_a_whole])
def test_what_is_acknowledged_while_slots_move_is_kept_once(
    cluster: ValkeyCluster6, move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict_retries, "LONGEST_S", 60.0)  # A busy machine takes longer.
    name = move.__name__.replace("_", "-")
    address = cluster.address_of(name) + "?wait=1&timeout_ms=60000&wait_ms=60000"
    primaries = cluster.of_role("master")
    with acked_load(address) as load:
        go_on(load)
        for slot in slots_of(name):
            source = next(node for node in primaries if serves(node, slot))
            target = next(node for node in primaries if node is not source)
            move(source, target, slot)
            go_on(load)
    check_nothing_lost(address, load)
    if move is key_by_key:
        assert sum(redirections(node) for node in primaries) > 0
    else:
        assert load.unavailable == 0


def go_on(load: AckedLoad) -> None:
    before = len(load.acked)
    wait_until(lambda: len(load.acked) > before + 30, "the load to go on")


def redirections(node: ValkeyNode) -> int:
    """How often a node has told clients to ask another one, or to try again."""
    lines = node.command("INFO", "errorstats").splitlines()
    return sum(
        int(line.rpartition("=")[2])
        for line in lines
        if line.startswith(("errorstat_ASK", "errorstat_TRYAGAIN"))
    )
