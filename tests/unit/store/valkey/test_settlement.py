"""Operands are applied once, wherever their server dies, and however often they are delivered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store import conflict_retries
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.keys import Kind, encode
from penchant.store.newest import raise_newest
from penchant.store.open import open_store
from penchant.store.valkey import announcements, applied_marks, settlement, user_outboxes
from penchant.store.valkey.outbox import unpacked
from penchant.store.valkey.places import Places
from penchant.store.valkey.server_functions import call
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
    parts = store._settlement._announcements, store._settlement._outboxes, store._settlement._marks
    for holder in (store, store._settlement, *parts):
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


class FaultyNodes(MortalNodes):
    """Gives no reply to the commands that a test names."""

    def __init__(self, nodes: ValkeyNodes, fails: Callable[[ServerCommand], bool]) -> None:
        super().__init__(nodes)
        self.fails = fails

    def run(self, commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        replies = iter(
            self.nodes.run([one for one in commands if not self.fails(one)], durable=durable)
        )
        return [
            StoreUnavailable("store: no answer") if self.fails(one) else next(replies)
            for one in commands
        ]


def faulty(
    address: str, monkeypatch: pytest.MonkeyPatch, fails: Callable[[ServerCommand], bool]
) -> tuple[ValkeyStore, FaultyNodes]:
    """A store whose settlement runs only when asked, and gets no reply to some commands."""
    store, mortals = mortal(address, monkeypatch)
    nodes = FaultyNodes(mortals.nodes, fails)
    for part in (store._settlement._outboxes, store._settlement._marks):
        monkeypatch.setattr(part, "_nodes", nodes)
    return store, nodes


def calls(name: str) -> Callable[[ServerCommand], bool]:
    return lambda command: command.words[1].endswith(f"_{name}".encode())


def at_the_newest(command: ServerCommand) -> bool:
    """Whether operands would be applied at the place of the newest event."""
    place = Places(command.key[1:].partition(b":")[0].decode()).of(encode(Kind.NEWEST))[0]
    return calls("shared_apply")(command) and command.key == place.rows


def count_and_date(store: ValkeyStore, user: str = "u1") -> None:
    """One event, with operands for two places."""
    with store.transaction() as transaction:
        transaction.put(encode(Kind.USER, user), b"1")
        merge_accepted(transaction, 1, user)
        raise_newest(transaction, 1_700_000_000_000_000, user)


def accepted(store: ValkeyStore) -> int:
    with store.snapshot() as snapshot:
        return read_accepted(snapshot)


@pytest.fixture
def brief_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any mark is old, and two looks follow each other at once."""
    monkeypatch.setattr(applied_marks, "_AFTER_US", 0)
    monkeypatch.setattr(applied_marks, "_BETWEEN_LOOKS_S", 0.0)


def look_often(store: ValkeyStore) -> None:
    for _ in range(10):
        store._settlement._marks.step()


def marks(server: ValkeyNode, address: str) -> list[str]:
    """The users of whom something is marked as applied, at any place of counts."""
    places = Places(parse_address(address).namespace)
    found = [server.ask("ZRANGE", place.applied, 0, -1) for place in places.counts]
    return sorted({user.decode() for some in found for user in some} - {""})


@pytest.mark.usefixtures("brief_marks")
def test_a_mark_outlives_any_outage_and_is_gone_once_its_outbox_is_empty(
    server: ValkeyNode, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, nodes = faulty(address, monkeypatch, at_the_newest)
    count_and_date(store)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="what users share"):
            store.settle()
        look_often(store)
        assert (accepted(store), marks(server, address)) == (1, ["u1"])
    nodes.fails = lambda command: False
    store.settle()
    look_often(store)
    assert (accepted(store), marks(server, address)) == (1, [])
    count_and_date(store)
    store.settle()
    assert (accepted(store), marks(server, address)) == (2, ["u1"])
    store.close()


@pytest.mark.usefixtures("brief_marks")
def test_who_read_an_outbox_and_slept_until_its_mark_was_forgotten_applies_nothing(
    server: ValkeyNode, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep, _ = mortal(address, monkeypatch)
    awake, _ = mortal(address, monkeypatch)
    count_and_date(asleep)
    read = asleep._settlement._outboxes._operands

    def slept(owners: Sequence[Any]) -> list[Any]:
        found = read(owners)
        awake.settle()
        look_often(awake)
        assert marks(server, address) == []
        return found

    monkeypatch.setattr(asleep._settlement._outboxes, "_operands", slept)
    asleep.settle()
    assert accepted(asleep) == 1
    for store in (asleep, awake):
        store.close()


@pytest.mark.usefixtures("brief_marks")
def test_operands_that_waited_for_longer_than_others_marks_last_are_applied(
    server: ValkeyNode, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(command: ServerCommand) -> bool:
        return calls("shared_apply")(command) and b"u1" in command.words

    store, nodes = faulty(address, monkeypatch, away)
    count_and_date(store, "u1")
    with pytest.raises(StoreUnavailable):
        store.settle()
    other, _ = mortal(address, monkeypatch)
    count_and_date(other, "u2")
    other._settlement._settle(["u2"])
    look_often(other)
    assert (accepted(store), marks(server, address)) == (1, [])
    nodes.fails = lambda command: False
    store.settle()
    assert accepted(store) == 2
    for one in (store, other):
        one.close()


def test_what_could_not_be_taken_out_of_an_outbox_is_not_settled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, nodes = faulty(address, monkeypatch, calls("user_settled"))
    count_one(store)
    with pytest.raises(StoreUnavailable, match="what users share"):
        store.settle()
    nodes.fails = lambda command: False
    store.settle()
    assert (store.unsettled(), accepted(store)) == (0, 1)
    store.close()


def test_any_number_of_announced_users_is_settled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "_MOST", 3)
    monkeypatch.setattr(user_outboxes, "_USERS", 7)
    dead, _ = mortal(address, monkeypatch)
    for start in (0, 100):  # Two moments, in each of which more are announced than a page has.
        with dead.transaction() as transaction:
            for number in range(start, start + 100):
                merge_accepted(transaction, 1, f"u{number}")
    store, _ = mortal(address, monkeypatch)
    looked = {one.user for _ in range(60) for one in store._settlement._announcements.next_ones(0)}
    assert len(looked) == 200  # As sweeps find them, call by call.
    store.settle()
    assert (accepted(store), store.unsettled()) == (200, 0)
    for one in (dead, store):
        one.close()


def test_an_outbox_of_any_length_is_settled(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_outboxes, "_COMMITS", 3)
    store, _ = mortal(address, monkeypatch)
    for _ in range(10):
        count_one(store)
    store.settle()
    assert (accepted(store), store.unsettled()) == (10, 0)
    store.close()


def test_any_number_of_rows_of_one_place_is_read_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = mortal(address, monkeypatch)
    place = Places(parse_address(address).namespace).counts[0]
    fields = [b"%d" % number for number in range(20_000)]
    put = [word for field in fields for word in (field, field)]
    words = [*call("shared_read", place.rows, place.applied), b"0", *fields]
    _, (_, values, _) = store._nodes.run(
        [
            ServerCommand(place.rows, [b"HSET", place.rows, *put]),
            ServerCommand(place.rows, words),
        ]
    )
    assert values == fields
    store.close()


def test_an_operand_that_no_announcement_names_any_more_is_found_at_its_user(
    server: ValkeyNode, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, _ = mortal(address, monkeypatch)
    count_one(dead)
    for pending in Places(parse_address(address).namespace).pending:
        server.ask("DEL", pending)
    store, _ = mortal(address, monkeypatch)
    store.settle()
    assert store.unsettled() == 1
    store.settle(everyone=True)
    assert (accepted(store), store.unsettled()) == (1, 0)
    for one in (dead, store):
        one.close()
