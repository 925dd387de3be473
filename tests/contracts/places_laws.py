"""The laws of an engine with places: what its transactions promise beside each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, added
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.base import Store, Transaction, WriteConflict
from penchant.store.counters import change_counters, read_counters
from penchant.store.item_contributions import contributors, delete_contribution, write_contribution
from penchant.store.keys import Kind, encode
from penchant.store.users import scan_user_ids, scan_user_ids_from
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.contracts.store_laws import StoreLaws, apply, contents, settle, touch

ONE = UserContribution(0.1, 1.0, 0.1, as_of_us=5_000_000)


def record(user: str) -> bytes:
    return encode(Kind.USER, user)


def until_written(store: Store, work: Callable[[Transaction], None]) -> int:
    """Runs work again until nobody else is faster; returns the number of conflicts."""
    conflicts = 0
    while True:
        try:
            with store.transaction() as transaction:
                work(transaction)
        except WriteConflict:
            conflicts += 1
        else:
            return conflicts


def add_one(transaction: Transaction, key: bytes) -> None:
    transaction.put(key, b"%d" % (int(transaction.get(key) or b"0") + 1))


class PlacesLaws(StoreLaws):
    """Subclass it, and provide the fixtures `store`, an empty store, and `other`, it once more."""

    def test_two_writers_of_one_user_lose_nothing(self, store: Store, other: Store) -> None:
        def write(mine: Store) -> int:
            return sum(until_written(mine, lambda tx: add_one(tx, record("u1"))) for _ in range(25))

        with ThreadPoolExecutor(4) as pool:
            conflicts = sum(pool.map(write, [store, other, store, other]))
        assert contents(store) == [(record("u1"), b"100")]
        assert conflicts > 0

    def test_a_conflict_names_the_users_that_were_not_written(
        self, store: Store, other: Store
    ) -> None:
        apply(store, [(record("u1"), b"1"), (record("u2"), b"1")])

        def write() -> None:
            with store.transaction() as transaction:
                for user in ("u1", "u2", "u3"):
                    transaction.get(record(user))
                    transaction.put(record(user), b"ours")
                apply(other, [(record("u2"), b"theirs")])

        with pytest.raises(WriteConflict) as caught:
            write()
        assert (caught.value.users, caught.value.written) == (frozenset({"u2"}), frozenset())
        expected = {record("u1"): b"ours", record("u2"): b"theirs", record("u3"): b"ours"}
        assert dict(contents(store)) == expected

    def test_a_conflict_over_what_is_nobodys_own_writes_no_user(
        self, store: Store, other: Store
    ) -> None:
        apply(store, [(b"head", b"1")])

        def write() -> None:
            with store.transaction() as transaction:
                add_one(transaction, b"head")
                transaction.put(record("u1"), b"ours")
                apply(other, [(b"head", b"7")])

        with pytest.raises(WriteConflict) as caught:
            write()
        assert caught.value.users == frozenset()
        assert contents(store) == [(b"head", b"7")]

    def test_a_row_that_appears_in_a_scanned_catalog_is_a_conflict(
        self, store: Store, other: Store
    ) -> None:
        def write() -> None:
            with store.transaction() as transaction:
                found = [key for key, _ in transaction.scan(b"c")]
                transaction.put(b"c%d" % len(found), b"ours")
                apply(other, [(b"c0", b"theirs")])

        with pytest.raises(WriteConflict):
            write()
        assert contents(store) == [(b"c0", b"theirs")]

    def test_what_a_transaction_only_read_of_the_catalog_may_change(
        self, store: Store, other: Store
    ) -> None:
        apply(store, [(b"head", b"1")])
        with store.transaction() as transaction:
            transaction.get(b"head")
            transaction.put(record("u1"), b"ours")
            apply(other, [(b"head", b"2")])
        assert contents(store) == [(record("u1"), b"ours"), (b"head", b"2")]

    def test_every_writer_of_one_counter_counts_once(self, store: Store, other: Store) -> None:
        def count(number: int) -> None:
            user, mine = f"u{number}", (store, other)[number % 2]
            with mine.transaction() as transaction:
                touch(transaction, user)
                change_counters(transaction, 7, None, ONE, 60.0, user)
                merge_accepted(transaction, 1, user)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(64)))
        settle(store)
        settle(other)
        expected = Counters()
        for _ in range(64):
            expected = added(expected, ONE, 60.0)
        with store.snapshot() as snapshot:
            assert read_counters(snapshot, 7).exact == expected.exact
            assert read_accepted(snapshot) == 64

    def test_a_deleted_user_never_has_an_old_version_again(
        self, store: Store, other: Store
    ) -> None:
        apply(store, [(record("u1"), b"1")])

        def write() -> None:
            with store.transaction() as transaction:
                transaction.get(record("u1"))
                transaction.put(record("u1"), b"ours")
                apply(other, [(record("u1"), None)])
                apply(other, [(record("u1"), b"1")])

        with pytest.raises(WriteConflict):
            write()
        assert contents(store) == [(record("u1"), b"1")]

    def test_users_are_listed_in_order_and_leave_without_a_trace(self, store: ValkeyStore) -> None:
        users = sorted([f"user {number}" for number in range(300)] + ["\x00", "a\x00b", "}", "é"])
        with store.transaction() as transaction:
            for user in users:
                transaction.put(record(user), b"x")
                write_contribution(transaction, 7, user, ONE)
        with store.snapshot() as snapshot:
            assert list(scan_user_ids(snapshot)) == users
            assert scan_user_ids_from(snapshot, users[150], 5) == users[150:155]
            assert [user for user, _ in contributors(snapshot, 7)] == users
        with store.transaction() as transaction:
            for user in users:
                transaction.delete(record(user))
                delete_contribution(transaction, 7, user)
                merge_accepted(transaction, 1, user)
        store.settle()
        assert [key[:1] for key, _ in contents(store)] == [bytes([Kind.ACCEPTED])]
        assert store.usage().entries == 1

    def test_a_user_with_a_long_log_is_read_by_pages(self, store: Store) -> None:
        keys = [encode(Kind.LOG, "u1", number) for number in range(1200)]
        apply(store, [(key, b"row") for key in keys])
        prefix = encode(Kind.LOG, "u1")
        assert contents(store, prefix) == [(key, b"row") for key in keys]
        assert contents(store, prefix, keys[1100]) == [(key, b"row") for key in keys[1100:]]
        with store.transaction() as transaction:
            transaction.delete(keys[3])
            assert len(list(transaction.scan(prefix))) == 1199

    def test_another_server_hears_of_changed_counters(
        self, store: ValkeyStore, other: ValkeyStore
    ) -> None:
        cursor, rows = other.changed_counts()
        assert rows == []
        for number in (7, 8):
            with store.transaction() as transaction:
                touch(transaction, "u1")
                change_counters(transaction, number, None, ONE, 60.0, "u1")
            store.settle()
        cursor, rows = other.changed_counts(cursor)
        assert sorted(key for key, _ in rows) == [encode(Kind.COUNTERS, n) for n in (7, 8)]
        assert other.changed_counts(cursor) == (cursor, [])

    def test_operands_are_settled_without_being_asked_for(self, store: Store) -> None:
        with store.transaction() as transaction:
            touch(transaction, "u1")
            merge_accepted(transaction, 1, "u1")
        waited = threading.Event()
        for _ in range(1200):
            with store.snapshot() as snapshot:
                if read_accepted(snapshot) == 1:
                    return
            waited.wait(0.05)
        pytest.fail("expected the operand to be applied within 60 s")
