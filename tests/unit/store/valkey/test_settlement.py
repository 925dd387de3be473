"""Operands are applied once, wherever their server dies, and however often they are delivered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store import conflict_retries
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store
from penchant.store.valkey import settlement
from penchant.store.valkey.outbox import unpacked
from penchant.store.valkey.places import Places
from penchant.store.valkey.settlement import Settlement
from penchant.store.valkey.valkey_address import parse_address
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.support.acked_load import acked_load, check_nothing_lost, write_event
from tests.support.valkey_servers import ValkeyNode, wait_until

USER = encode(Kind.USER, "u1")


class Died(BaseException):
    """The process that would go on is gone."""


class MortalNodes:
    """Runs a number of pipelines, and then nothing any more."""

    def __init__(self, nodes: ValkeyNodes) -> None:
        self.nodes = nodes
        self.left = 10_000

    def run(self, commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        if self.left == 0:
            raise Died
        self.left -= 1
        return self.nodes.run(commands, durable=durable)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.nodes, name)


def mortal(address: str, monkeypatch: pytest.MonkeyPatch) -> tuple[ValkeyStore, MortalNodes]:
    """A store whose settlement runs only when asked, and its mortal connections."""
    monkeypatch.setattr(Settlement, "_start", lambda self: None)
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    nodes = MortalNodes(store._nodes)
    for holder in (store, store._settlement):
        monkeypatch.setattr(holder, "_nodes", nodes)
    return store, nodes


def count_one(store: ValkeyStore) -> None:
    with store.transaction() as transaction:
        transaction.fetch([USER])
        transaction.put(USER, b"%d" % (int(transaction.get(USER) or b"0") + 1))
        merge_accepted(transaction, 1, "u1")


def counted(address: str) -> tuple[int, int]:
    """Events by the record, and by the count after everything is settled by another server."""
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    store.settle()
    with store.snapshot() as snapshot:
        found = int(snapshot.get(USER) or b"0"), read_accepted(snapshot)
    store.close()
    return found


def test_a_server_may_die_between_any_two_steps(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    for steps in range(30):
        store, nodes = mortal(address, monkeypatch)
        nodes.left = steps
        died = False
        try:
            count_one(store)
            store.settle()
        except Died:
            died = True
        nodes.nodes.close()
        by_record, by_count = counted(address)
        assert by_record == by_count, f"after {steps} steps"
        if not died:
            break
    assert steps >= 6
    assert by_record >= 2


def test_an_operand_that_is_delivered_twice_counts_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = mortal(address, monkeypatch)
    other = open_store(address)
    assert isinstance(other, ValkeyStore)
    count_one(store)
    owner = Places(parse_address(address).namespace).user("u1")
    (entries,) = store._nodes.run(
        [ServerCommand(owner.outbox, [b"LRANGE", owner.outbox, b"0", b"-1"])]
    )
    assert unpacked(entries[0])[1][0][0] == encode(Kind.ACCEPTED)
    store.settle()
    store._nodes.run([ServerCommand(owner.outbox, [b"RPUSH", owner.outbox, *entries])])
    other.settle()
    assert counted(address) == (1, 1)
    other.close()


def test_an_operand_that_cannot_be_read_holds_nobody_up(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = mortal(address, monkeypatch)
    count_one(store)
    owner = Places(parse_address(address).namespace).user("u1")
    damaged = [b"%d:damaged" % version for version in (3, 10**15)]
    store._nodes.run([ServerCommand(owner.outbox, [b"RPUSH", owner.outbox, *damaged])])
    count_one(store)
    assert counted(address) == (2, 2)


def test_a_user_who_is_forgotten_takes_the_operands_along_and_leaves_no_name(
    server: ValkeyNode, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = mortal(address, monkeypatch)
    count_one(store)
    with store.transaction() as transaction:
        transaction.delete(USER)
        merge_accepted(transaction, -1, "u1")
    assert counted(address) == (0, 0)
    names = "return table.concat(redis.call('KEYS', ARGV[1]))"
    pattern = f"{{{parse_address(address).namespace}:u:*"
    assert server.command("EVAL", names, 0, pattern) == ""


def test_servers_side_by_side_count_each_event_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict_retries, "LONGEST_S", 60.0)  # The machine may be busy.
    with acked_load(address, writers=6, servers=3) as load:
        wait_until(lambda: len(load.acked) > 400, "a load")
    check_nothing_lost(address, load)
    assert load.unavailable == 0


def test_an_event_that_is_sent_again_changes_nothing(address: str) -> None:
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    for _ in range(3):
        write_event(store, "u1", 1)
    store.settle()
    with store.snapshot() as snapshot:
        assert read_accepted(snapshot) == 1
    store.close()


def test_what_could_not_be_settled_stays_announced(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_PAUSE_S", "_SWEEP_S", "_WITHDRAWN_AFTER_US"):
        monkeypatch.setattr(settlement, name, 0)
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    tries = []

    def away(users: set[str]) -> set[str]:
        tries.append(users)
        raise StoreUnavailable("store: away")

    monkeypatch.setattr(store._settlement, "_settle", away)
    count_one(store)
    wait_until(lambda: len(tries) > 6, "some sweeps")
    store.close()  # As a process that dies, for all that it has settled.
    assert counted(address) == (1, 1)


def test_where_one_server_has_all_slots_a_commit_is_one_round_of_writes(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, nodes = mortal(address, monkeypatch)
    rounds: list[set[bytes]] = []

    def run(commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        if commands:
            rounds.append({bytes(command.words[0]) for command in commands})
        return nodes.run(commands, durable=durable)

    with store.transaction() as transaction:
        monkeypatch.setattr(transaction, "_nodes", _Heard(nodes, run))
        for user in ("u1", "u2"):
            transaction.fetch([encode(Kind.USER, user), encode(Kind.CONTRIBUTION, 7, user)])
            transaction.put(encode(Kind.USER, user), b"record")
            transaction.put(encode(Kind.CONTRIBUTION, 7, user), b"part")
            merge_accepted(transaction, 1, user)
    assert rounds == [{b"HMGET"}, {b"HMGET"}, {b"FCALL"}]
    store.settle()
    with store.snapshot() as snapshot:
        assert read_accepted(snapshot) == 2
        for kind in (Kind.USER, Kind.CONTRIBUTION):  # By the indexes.
            assert len(list(snapshot.scan(encode(kind)))) == 2


class _Heard:
    """Nodes whose pipelines are heard."""

    def __init__(self, nodes: MortalNodes, run: Callable[..., list[Any]]) -> None:
        self.run = run
        self._nodes = nodes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nodes, name)
