"""Writers of one place are served in the order in which they lost, and none waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from penchant.domain.window import digest64
from penchant.store import conflict_retries
from penchant.store.base import Transaction, WriteConflict
from penchant.store.conflict_retries import in_transaction
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store
from penchant.store.valkey import valkey_nodes
from penchant.store.valkey.server_functions import LIBRARY
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.support.valkey_servers import ValkeyNode, valkey_server

WRITERS, EVENTS = 8, 12
ROWS = [encode(Kind.USER, "u1"), encode(Kind.BUDGET, digest64("money"))]
"""A row in a user's place, and one in a budget's."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may hold a writer up for longer than the time after which it fails."""
    monkeypatch.setattr(conflict_retries, "LONGEST_S", 60.0)


@contextmanager
def three_of(address: str) -> Iterator[list[ValkeyStore]]:
    with ExitStack() as opened:
        found = [opened.enter_context(closing(open_store(address))) for _ in range(3)]
        yield [store for store in found if isinstance(store, ValkeyStore)]


@pytest.fixture
def stores(address: str) -> Iterator[list[ValkeyStore]]:
    """Three servers' stores."""
    with three_of(address) as found:
        yield found


@pytest.fixture
def turn_s() -> int:
    """So long that no turn passes while this machine is busy."""
    return 10


@pytest.fixture
def in_long_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn_s: int) -> Iterator[str]:
    """The address of a server with longer turns."""
    turn = "TURN_US, KEPT_MS = 16, 500000, 10000"
    assert turn in LIBRARY
    longer = turn.replace("500000, 10000", f"{turn_s * 1_000_000}, {turn_s * 20_000}")
    monkeypatch.setattr(valkey_nodes, "LIBRARY", LIBRARY.replace(turn, longer))
    with valkey_server(tmp_path / "one") as node:
        yield f"valkey://{node.name}/shop?timeout_ms=30000"


def add_one(row: bytes, transaction: Transaction) -> None:
    transaction.fetch([row])
    transaction.put(row, b"%d" % (int(transaction.get(row) or b"0") + 1))


def write(store: ValkeyStore, row: bytes) -> None:
    """One attempt."""
    with store.transaction() as transaction:
        add_one(row, transaction)


def lose(store: ValkeyStore, faster: ValkeyStore, row: bytes) -> None:
    """One attempt, at which another store is faster; then it asks for its turn."""

    def attempt() -> None:
        with store.transaction() as transaction:
            add_one(row, transaction)
            write(faster, row)

    with pytest.raises(WriteConflict) as lost:
        attempt()
    assert lost.value.turn is not None
    lost.value.turn(1.0)


def value_of(store: ValkeyStore, row: bytes) -> int:
    with store.snapshot() as snapshot:
        return int(snapshot.get(row) or b"0")


@pytest.mark.parametrize("row", ROWS, ids=["user", "budget"])
def test_who_lost_goes_before_all_who_come_later(in_long_turns: str, row: bytes) -> None:
    with three_of(in_long_turns) as (first, second, third):
        lose(first, third, row)
        for later in (second, third):
            with pytest.raises(WriteConflict):
                write(later, row)
        for store in (first, second, third):  # In turn, each succeeds at once.
            write(store, row)
        assert value_of(first, row) == 4


@pytest.mark.parametrize("turn_s", [3])
@pytest.mark.parametrize("row", ROWS, ids=["user", "budget"])
def test_who_lost_and_never_comes_again_holds_the_others_up_for_a_turn_alone(
    in_long_turns: str, row: bytes
) -> None:
    with three_of(in_long_turns) as (gone, too, last):
        lose(gone, last, row)
        with pytest.raises(WriteConflict):
            write(too, row)
        in_transaction(last, partial(add_one, row))  # After two turns that nobody takes.
        assert value_of(last, row) == 2


def test_who_lost_and_finds_nothing_left_to_write_leaves_the_line(
    stores: list[ValkeyStore],
) -> None:
    reads, writes, _ = stores
    lose(reads, writes, ROWS[0])
    with reads.transaction() as transaction:
        transaction.get(ROWS[0])
    write(writes, ROWS[0])
    assert value_of(writes, ROWS[0]) == 2


def test_a_line_is_gone_with_its_last_writer(server: ValkeyNode, stores: list[ValkeyStore]) -> None:
    lose(stores[0], stores[1], ROWS[0])
    line = stores[0]._places.user("u1").line.decode()
    assert server.command("EXISTS", line) == "1"
    in_transaction(stores[0], partial(add_one, ROWS[0]))
    assert server.command("EXISTS", line) == "0"


def test_however_many_write_to_one_user_each_event_takes_few_attempts(in_long_turns: str) -> None:
    begin = threading.Barrier(WRITERS)

    def write_all() -> list[int]:
        attempts: list[int] = []

        def work(transaction: Transaction) -> None:
            attempts[-1] += 1
            add_one(ROWS[0], transaction)

        with closing(open_store(in_long_turns)) as store:
            begin.wait()
            for _ in range(EVENTS):
                attempts.append(0)
                in_transaction(store, work)
        return attempts

    with ThreadPoolExecutor(WRITERS) as threads:
        running = [threads.submit(write_all) for _ in range(WRITERS)]
    found = sorted(attempts for one in running for attempts in one.result())
    with closing(open_store(in_long_turns)) as store:
        assert isinstance(store, ValkeyStore)
        assert value_of(store, ROWS[0]) == WRITERS * EVENTS
    assert found[len(found) // 2] <= 2  # Lost, or came while others waited; and then in turn.
    assert found[-1] <= 5  # A writer that a busy machine held up for a whole turn goes last.
