"""Long work in short transactions goes on beside writers who are faster at some of its users."""

from __future__ import annotations

from operator import itemgetter

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store import conflict_retries
from penchant.store.base import Transaction
from penchant.store.keys import Kind, encode
from penchant.store.short_transactions import FETCHED, in_short_transactions
from tests.support.racing_store import RacingStore

USERS = [f"u{number:03}" for number in range(3 * FETCHED)]
BUSY = {"u:u000": 7, "u:u001": 3, "u:u070": 5}
"""Users at whom somebody else is faster, and how often."""


def mark(transaction: Transaction, user: str) -> str:
    transaction.put(encode(Kind.USER, user), b"done")
    return user


def fetch(transaction: Transaction, users: object) -> None:
    """What is fetched is nobody's concern here; that it is makes groups."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflict_retries, "FIRST_PAUSE_S", 0.0)


def test_users_whom_others_write_to_all_the_time_keep_nobody_else_waiting() -> None:
    store, left = RacingStore(), dict(BUSY)
    order: list[str] = []

    def fails(place: str) -> bool:
        left[place] = left.get(place, 0) - 1
        return left[place] >= 0

    def work(transaction: Transaction, user: str) -> str:
        order.append(user)
        return mark(transaction, user)

    store.fails = fails
    done = in_short_transactions(store, USERS, work, fetch=fetch)
    assert sorted(done) == USERS
    assert [user for user in order[: len(USERS)] if user not in ("u000", "u001")] == USERS[2:]
    assert order[-1] == "u000", "the busiest is the last"


def test_where_nothing_can_be_written_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflict_retries, "LONGEST_S", 0.0)
    store = RacingStore()
    store.fails = lambda place: place == "u:u005"
    with pytest.raises(StoreUnavailable, match="kept writing"):
        in_short_transactions(store, USERS, mark, fetch=fetch)
    with store.snapshot() as snapshot:
        kept = {user for user in USERS if snapshot.get(encode(Kind.USER, user)) is not None}
    assert kept == set(USERS) - {"u005"}


def test_only_the_work_of_users_who_lost_is_done_again() -> None:
    store, left = RacingStore(), {"u:u001": 1}
    store.fails = lambda place: left.pop(place, 0) > 0
    worked: list[str] = []

    def work(transaction: Transaction, element: tuple[str, list[int]]) -> int:
        worked.append(element[0])
        mark(transaction, element[0])
        return sum(element[1])

    elements = [("u000", [1]), ("u001", [2]), ("u002", [4])]
    values = in_short_transactions(store, elements, work, user_of=itemgetter(0))
    assert sorted(values) == [1, 2, 4]
    assert worked == ["u000", "u001", "u002", "u001"]
