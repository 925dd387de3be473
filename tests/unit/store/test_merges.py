"""The rules of merges: any order of users, and rows or operands that can't be read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.errors import StateCorrupt
from penchant.domain.rollout import no_sums
from penchant.domain.spending import Spending
from penchant.domain.user_contribution import UserContribution
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.base import Transaction, WriteConflict
from penchant.store.counters import change_counters
from penchant.store.keys import Kind, encode
from penchant.store.ledgers import encode_spending, settle_spending
from penchant.store.memory import MemoryStore
from penchant.store.merges import MERGES, merged_row
from penchant.store.newest import raise_newest
from penchant.store.reservation_log import merge_balance
from penchant.store.rollouts import add_sums
from penchant.store.ship_notes import ShipNote, add_note
from tests.support.conflicting_store import ConflictingStore

OLD = UserContribution(0.3, 1.0, 0.3, as_of_us=1_000_000)
NEW = UserContribution(0.7, 0.5, 0.7, as_of_us=3_333_333)


def add(transaction: Transaction, user: str, number: int) -> None:
    """Adds operands of every kind for a user."""
    change_counters(transaction, 7, None, OLD, 60.0, user)
    change_counters(transaction, 7, OLD, NEW, 60.0, user)
    raise_newest(transaction, 100 + number, user)
    merge_accepted(transaction, number, user)
    settle_spending(transaction, 5, number, {9: number}, user)
    merge_balance(transaction, AdAccountKey("shoes", "", 5), AdAccount(reserved=number), user)
    sums = no_sums()
    sums[0, number] = 1.0, 0.5
    add_sums(transaction, sums, user)
    add_note(transaction, number, ShipNote("forgotten", user), user)


class _Operands:
    """Keeps the operands of a transaction."""

    def __init__(self) -> None:
        self.found: list[tuple[bytes, bytes]] = []

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        self.found.append((key, operand))


def operands(user: str, number: int) -> list[tuple[bytes, bytes]]:
    kept = _Operands()
    add(kept, user, number)  # type: ignore[arg-type] # All that `add` calls.
    return kept.found


def test_the_order_of_users_does_not_matter() -> None:
    users = [operands(f"u{number}", number) for number in (1, 2, 3)]
    held = {encode(Kind.BUDGET, 5): encode_spending(Spending(held={9: 50}))}

    def rows(order: Sequence[list[tuple[bytes, bytes]]]) -> dict[bytes, bytes | None]:
        found: dict[bytes, bytes | None] = dict(held)
        for key, operand in itertools.chain.from_iterable(order):
            found[key] = merged_row(key, found.get(key), operand)
        return found

    first, *others = [rows(order) for order in itertools.permutations(users)]
    assert {key[0] for key in first} == set(MERGES)
    assert all(other == first for other in others)


@pytest.mark.parametrize("kind", sorted(MERGES), ids=lambda kind: Kind(kind).name)
def test_a_row_that_cannot_be_read_stops_no_merge(kind: int) -> None:
    key, operand = next(one for one in operands("u1", 1) if one[0][0] == kind)
    repaired_elsewhere = kind in {Kind.COUNTERS, Kind.BUDGET}
    expected = b"damaged" if repaired_elsewhere else merged_row(key, None, operand)
    assert merged_row(key, b"damaged", operand) == expected


@pytest.mark.parametrize("kind", sorted(MERGES), ids=lambda kind: Kind(kind).name)
def test_an_operand_that_cannot_be_read_is_refused(kind: int) -> None:
    with pytest.raises(StateCorrupt):
        merged_row(bytes([kind]), None, b"damaged, and longer than a header")


def test_rows_of_users_are_never_merged() -> None:
    with MemoryStore().transaction() as transaction, pytest.raises(KeyError):
        transaction.merge(encode(Kind.USER, "u1"), b"x", user="u1")


def _two_users(store: MemoryStore) -> Callable[[], None]:
    def write() -> None:
        with store.transaction() as transaction:
            transaction.put(b"shared", b"1")
            for user in ("u1", "u2"):
                transaction.put(encode(Kind.USER, user), b"record")
                merge_accepted(transaction, 1, user)

    return write


def test_a_conflict_of_one_user_leaves_the_rest_written() -> None:
    store = ConflictingStore(lambda users: users - {"u2"})
    with pytest.raises(WriteConflict) as caught:
        _two_users(store)()
    assert (caught.value.users, caught.value.written) == (
        frozenset({"u2"}),
        frozenset({b"shared"}),
    )
    with store.snapshot() as snapshot:
        assert snapshot.get(encode(Kind.USER, "u1")) == b"record"
        assert snapshot.get(encode(Kind.USER, "u2")) is None
        assert (snapshot.get(b"shared"), read_accepted(snapshot)) == (b"1", 1)


def test_a_conflict_of_the_whole_writes_nothing() -> None:
    store = ConflictingStore(lambda users: None)
    with pytest.raises(WriteConflict, match="the whole transaction") as caught:
        _two_users(store)()
    assert (caught.value.users, caught.value.written) == (frozenset(), frozenset())
    assert store.usage().entries == 0
