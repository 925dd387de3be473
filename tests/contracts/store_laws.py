"""The laws of `penchant.store.base.Store`, one suite for all engines."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.rollout import no_sums
from penchant.domain.spending import Spending
from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, added
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.base import Store, Transaction
from penchant.store.counters import change_counters, read_counters
from penchant.store.keys import Kind, encode
from penchant.store.ledgers import read_spending, settle_spending, write_spending
from penchant.store.newest import raise_newest, read_newest
from penchant.store.reservation_log import merge_balance, scan_balances
from penchant.store.rollouts import add_sums, read_sums

KEYS = st.binary(min_size=1, max_size=6)
VALUES = st.binary(max_size=20)

WRITES = st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=12)
"""Puts and, where the value is None, deletions."""


class Spoilt(Exception):
    """Raised by a test inside a transaction."""


def contents(store: Store, prefix: bytes = b"", start: bytes = b"") -> list[tuple[bytes, bytes]]:
    with store.snapshot() as snapshot:
        return list(snapshot.scan(prefix, start))


def touch(transaction: Transaction, user: str) -> None:
    """Writes a row of a user, as each transaction does that adds an operand for one."""
    transaction.put(encode(Kind.USER, user), b"a record")


def settle(store: Store) -> None:
    """Applies the operands that an engine over a network still keeps with their users."""
    getattr(store, "settle", lambda: None)()


def clear(store: Store) -> None:
    with store.transaction() as transaction:
        for key in [key for key, _ in transaction.scan(b"")]:
            transaction.delete(key)


def apply(store: Store, writes: list[tuple[bytes, bytes | None]]) -> dict[bytes, bytes]:
    """Applies writes in one transaction; returns the content of a dictionary after them."""
    model: dict[bytes, bytes] = dict(contents(store))
    with store.transaction() as transaction:
        for key, value in writes:
            if value is None:
                transaction.delete(key)
                model.pop(key, None)
            else:
                transaction.put(key, value)
                model[key] = value
    return model


class StoreLaws:
    """What holds of every engine. Subclass it, and provide the fixture `store`, an empty store."""

    def test_a_key_never_put_is_absent(self, store: Store) -> None:
        with store.snapshot() as snapshot:
            assert snapshot.get(b"k") is None

    def test_what_was_committed_is_read_in_every_later_snapshot(self, store: Store) -> None:
        with store.transaction() as transaction:
            transaction.put(b"k", b"v")
            transaction.put(b"empty", b"")
        for _ in range(2):
            with store.snapshot() as snapshot:
                assert snapshot.get(b"k") == b"v"
                assert snapshot.get(b"empty") == b""

    def test_a_put_replaces_the_value_before(self, store: Store) -> None:
        apply(store, [(b"k", b"old"), (b"k", b"new")])
        apply(store, [(b"k", b"newest, and longer")])
        assert contents(store) == [(b"k", b"newest, and longer")]

    def test_an_open_transaction_is_seen_by_nobody_else(self, store: Store) -> None:
        seen: list[list[tuple[bytes, bytes]]] = []
        with store.transaction() as transaction:
            transaction.put(b"k", b"v")
            other = threading.Thread(target=lambda: seen.append(contents(store)))
            other.start()
            other.join()
        assert seen == [[]]

    def test_a_transaction_reads_its_own_writes(self, store: Store) -> None:
        apply(store, [(b"a", b"1"), (b"b", b"1")])
        with store.transaction() as transaction:
            transaction.put(b"a", b"2")
            transaction.delete(b"b")
            transaction.put(b"c", b"3")
            assert transaction.get(b"a") == b"2"
            assert transaction.get(b"b") is None
            assert list(transaction.scan(b"")) == [(b"a", b"2"), (b"c", b"3")]

    def test_an_exception_leaves_the_store_as_it_was(self, store: Store) -> None:
        apply(store, [(b"a", b"1"), (b"b", b"1")])

        def spoil() -> None:
            with store.transaction() as transaction:
                transaction.put(b"a", b"2")
                transaction.delete(b"b")
                transaction.put(b"c", b"3")
                raise Spoilt

        with pytest.raises(Spoilt):
            spoil()
        assert contents(store) == [(b"a", b"1"), (b"b", b"1")]
        apply(store, [(b"a", b"2")])
        assert contents(store) == [(b"a", b"2"), (b"b", b"1")]

    def test_deleting_an_absent_key_changes_nothing(self, store: Store) -> None:
        apply(store, [(b"a", b"1"), (b"b", None)])
        assert contents(store) == [(b"a", b"1")]

    def test_what_was_said_beforehand_is_read_as_without(self, store: Store) -> None:
        apply(store, [(b"a", b"1"), (b"b", b"2")])
        with store.snapshot() as snapshot:
            snapshot.fetch([b"a", b"absent"])
            assert [snapshot.get(key) for key in (b"a", b"absent", b"b")] == [b"1", None, b"2"]
        with store.transaction() as transaction:
            transaction.fetch([b"a", b"absent"])
            transaction.put(b"a", b"3")
            transaction.put(b"absent", b"4")
            assert [transaction.get(key) for key in (b"a", b"absent")] == [b"3", b"4"]
        assert contents(store) == [(b"a", b"3"), (b"absent", b"4"), (b"b", b"2")]

    def test_users_who_were_said_beforehand_are_read_as_without(self, store: Store) -> None:
        """One with a few rows, one with more than a page, and one of whom nothing is kept."""
        rows = {encode(Kind.USER, "ann"): b"record", encode(Kind.CONTRIBUTION, 3, "ann"): b"c"}
        rows |= {encode(Kind.LOG, user, n): b"%d" % n for user, n in (("ann", 1), ("ann", 2))}
        rows |= {encode(Kind.LOG, "bob", n): b"%d" % n for n in range(600)}
        apply(store, list(rows.items()))
        logs = {user: encode(Kind.LOG, user) for user in ("ann", "bob", "cid")}
        with store.transaction() as transaction:
            transaction.fetch_users(logs)
            for user, prefix in logs.items():
                kept = {key: value for key, value in rows.items() if key.startswith(prefix)}
                assert dict(transaction.scan(prefix)) == kept, user
            assert transaction.get(encode(Kind.USER, "ann")) == b"record"
            assert transaction.get(encode(Kind.CONTRIBUTION, 3, "ann")) == b"c"
            assert transaction.get(encode(Kind.USER, "bob")) is None
            assert transaction.get(encode(Kind.LEDGER, "cid")) is None
            transaction.put(encode(Kind.LOG, "ann", 3), b"3")
            transaction.delete(encode(Kind.LOG, "ann", 1))
            assert [value for _, value in transaction.scan(logs["ann"])] == [b"2", b"3"]
            assert list(transaction.scan(encode(Kind.LOG, "ann", 2), encode(Kind.LOG, "ann", 2)))
        with store.snapshot() as snapshot:
            assert snapshot.get(encode(Kind.LOG, "ann", 9)) is None
            snapshot.fetch_users(["ann"])
            assert [value for _, value in snapshot.scan(logs["ann"])] == [b"2", b"3"]

    def test_operands_add_up_by_the_rule_of_their_kind(self, store: Store) -> None:
        contribution = UserContribution(1.0, 1.0, 1.0, as_of_us=5_000_000)
        renewed = UserContribution(0.5, 1.0, 1.0, as_of_us=9_000_000)
        for number, user in enumerate(("u1", "u2", "u3")):
            with store.transaction() as transaction:
                touch(transaction, user)
                change_counters(transaction, 7, None, contribution, 60.0, user)
                raise_newest(transaction, 100 - number, user)
                merge_accepted(transaction, 2, user)
        with store.transaction() as transaction:
            touch(transaction, "u1")
            change_counters(transaction, 7, contribution, renewed, 60.0, "u1")
        settle(store)
        expected = Counters()
        for one in (contribution, contribution, renewed):
            expected = added(expected, one, 60.0)
        with store.snapshot() as snapshot:
            found = read_counters(snapshot, 7)
            assert (found, found.exact) == (expected, expected.exact)
            assert read_newest(snapshot) == 100
            assert read_accepted(snapshot) == 6

    def test_a_row_of_which_all_is_taken_again_is_gone(self, store: Store) -> None:
        for events in (3, -3):
            with store.transaction() as transaction:
                touch(transaction, "u1")
                merge_accepted(transaction, events, "u1")
        settle(store)
        with store.snapshot() as snapshot:
            assert snapshot.get(encode(Kind.ACCEPTED)) is None

    def test_a_transaction_reads_its_own_operands(self, store: Store) -> None:
        with store.transaction() as transaction:
            touch(transaction, "u1")
            merge_accepted(transaction, 3, "u1")
            merge_accepted(transaction, 4, "u1")
            assert read_accepted(transaction) == 7
        settle(store)
        with store.snapshot() as snapshot:
            assert read_accepted(snapshot) == 7

    def test_an_exception_leaves_no_operand(self, store: Store) -> None:
        def spoil() -> None:
            with store.transaction() as transaction:
                merge_accepted(transaction, 3, "u1")
                raise Spoilt

        with pytest.raises(Spoilt):
            spoil()
        settle(store)
        assert contents(store) == []

    def test_budgets_and_balances_add_up(self, store: Store) -> None:
        with store.transaction() as transaction:
            write_spending(transaction, 5, Spending(held={9: 30, 10: 4}))
        account = AdAccount(reserved=1, charged_micros=10)
        for user in ("u1", "u2"):
            with store.transaction() as transaction:
                touch(transaction, user)
                settle_spending(transaction, 5, 10, {9: 15}, user)
                merge_balance(transaction, AdAccountKey("shoes", "", 5), account, user)
        settle(store)
        with store.snapshot() as snapshot:
            assert read_spending(snapshot, 5) == Spending(20, held={10: 4})
            ((_, total),) = scan_balances(snapshot)
            assert total == account + account

    def test_the_sums_of_a_rollout_add_up(self, store: Store) -> None:
        sums = no_sums()
        sums[0, 3] = 1.0, 0.5
        for user in ("u1", "u2"):
            with store.transaction() as transaction:
                touch(transaction, user)
                add_sums(transaction, sums, user)
        settle(store)
        with store.snapshot() as snapshot:
            assert (read_sums(snapshot) == 2 * sums).all()

    @settings(
        max_examples=40,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,  # Each example clears the store first.
            HealthCheck.differing_executors,  # One law for several engines.
        ],
    )
    @given(batches=st.lists(WRITES, max_size=4), prefix=st.binary(max_size=2), start=KEYS)
    def test_a_store_is_a_sorted_dictionary(
        self,
        store: Store,
        batches: list[list[tuple[bytes, bytes | None]]],
        prefix: bytes,
        start: bytes,
    ) -> None:
        clear(store)
        model: dict[bytes, bytes] = {}
        for writes in batches:
            model = apply(store, writes)
        assert contents(store) == sorted(model.items())
        begun = [(key, value) for key, value in model.items() if key.startswith(prefix)]
        assert contents(store, prefix) == sorted(begun)
        late = [(key, value) for key, value in begun if key >= start]
        assert contents(store, prefix, start) == sorted(late)


class OneMachineLaws(StoreLaws):
    """What holds of engines on one machine alone, where writers take turns.

    An engine with places promises less: a snapshot is of one moment within what it fetched of one
    place; transactions run side by side, and raise WriteConflict; its usage is that of its servers.
    """

    def test_a_snapshot_sees_nothing_that_was_committed_after_it_began(self, store: Store) -> None:
        apply(store, [(b"a", b"1"), (b"b", b"1")])
        with store.snapshot() as snapshot:
            # In another thread: some engines allow one transaction per thread.
            writer = threading.Thread(target=apply, args=(store, [(b"a", b"2"), (b"b", None)]))
            writer.start()
            writer.join()
            assert snapshot.get(b"a") == b"1"
            assert list(snapshot.scan(b"")) == [(b"a", b"1"), (b"b", b"1")]
        assert contents(store) == [(b"a", b"2")]

    def test_transactions_take_turns(self, store: Store) -> None:
        def add(times: int) -> None:
            for _ in range(times):
                with store.transaction() as transaction:
                    count = int(transaction.get(b"n") or b"0")
                    transaction.put(b"n", b"%d" % (count + 1))

        threads = [threading.Thread(target=add, args=(20,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert contents(store) == [(b"n", b"80")]

    def test_usage_counts_what_is_held(self, store: Store) -> None:
        before = store.usage()
        apply(store, [(b"%03d" % number, b"x" * 1000) for number in range(100)])
        after = store.usage()
        assert after.entries == before.entries + 100
        assert after.used_bytes >= before.used_bytes + 100_000
        assert 0 <= after.fraction <= 1

    def test_usage_falls_again_once_rows_are_deleted(self, store: Store) -> None:
        apply(store, [(b"%03d" % number, b"x" * 1000) for number in range(200)])
        filled = store.usage()
        apply(store, [(b"%03d" % number, None) for number in range(199)])
        emptied = store.usage()
        assert emptied.entries == filled.entries - 199
        assert emptied.used_bytes < filled.used_bytes / 4
