"""A commit whose reply is lost is asked for again, and the answer is what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from penchant.domain.window import digest64
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.base import Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store
from penchant.store.valkey.valkey_store import ValkeyStore

ROWS = [encode(Kind.USER, "u1"), encode(Kind.BUDGET, digest64("money"))]
"""A row in a user's place, and one in a budget's."""
MANY = 40
"""More commits than a place keeps ids of."""


@pytest.fixture
def store(address: str) -> Iterator[ValkeyStore]:
    yield from opened(address)


@pytest.fixture
def other(address: str) -> Iterator[ValkeyStore]:
    yield from opened(address)


def opened(address: str) -> Iterator[ValkeyStore]:
    with closing(open_store(address)) as store:
        assert isinstance(store, ValkeyStore)
        yield store


def add_one(transaction: Transaction, row: bytes) -> None:
    transaction.put(row, b"%d" % (int(transaction.get(row) or b"0") + 1))


def lose_a_reply(
    store: ValkeyStore, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]
) -> None:
    """Breaks the connection of the next commit once the server has answered it."""
    read, broken = store._nodes._read, list[bool]()

    def breaking(run, sent):  # type: ignore[no-untyped-def] # Of private types.
        words = [run.commands[number].words[1] for number in sent.numbers]
        if broken or not any(b"_commit" in word for word in words):
            read(run, sent)
            return
        broken.append(True)
        for _ in sent.numbers:
            sent.link.read_response()
        sent.link.disconnect()
        meanwhile()
        store._nodes._forget(run, sent.node, sent.numbers)

    monkeypatch.setattr(store._nodes, "_read", breaking)


@pytest.mark.parametrize("row", ROWS, ids=["user", "budget"])
def test_a_commit_whose_reply_was_lost_is_known_although_another_has_written_since(
    store: ValkeyStore, other: ValkeyStore, monkeypatch: pytest.MonkeyPatch, row: bytes
) -> None:
    in_transaction(store, lambda transaction: add_one(transaction, row))
    lose_a_reply(
        store,
        monkeypatch,
        lambda: in_transaction(other, lambda transaction: add_one(transaction, row)),
    )
    with store.transaction() as transaction:  # No conflict: it was written, and before the other.
        add_one(transaction, row)
    with store.snapshot() as snapshot:
        assert snapshot.get(row) == b"3"


@pytest.mark.parametrize("others", [1, MANY])
def test_the_operands_of_a_commit_whose_reply_was_lost_count_once_and_are_not_left_behind(
    store: ValkeyStore, other: ValkeyStore, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    event = encode(Kind.LOG, "u1", 1)

    def feed(transaction: Transaction) -> None:
        if transaction.get(event) is None:  # Else it is known.
            transaction.put(event, b"row")
            merge_accepted(transaction, 1, "u1")

    def write() -> None:
        for _ in range(others):
            in_transaction(other, lambda transaction: add_one(transaction, ROWS[0]))

    lose_a_reply(store, monkeypatch, write)
    in_transaction(store, feed)
    store._settlement._left_of(store._settlement._noted())
    with store.snapshot() as snapshot:
        assert read_accepted(snapshot) == 1
    assert store.unsettled() == 0


def test_a_commit_that_ends_before_its_reply_leaves_its_users_announced(
    store: ValkeyStore, other: ValkeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        raise KeyboardInterrupt

    lose_a_reply(store, monkeypatch, end)
    with pytest.raises(KeyboardInterrupt), store.transaction() as transaction:
        merge_accepted(transaction, 1, "u1")
    assert not store._settlement._to_withdraw
    other.settle()
    with other.snapshot() as snapshot:
        assert read_accepted(snapshot) == 1
