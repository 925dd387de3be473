"""Two users made one: what one user would have had from the start, whatever came when."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import InvalidRequest, StateCorrupt
from penchant.domain.limits import Limits
from penchant.domain.reservations import Budget, Cap, ReserveOption, ReserveRequest
from penchant.domain.types import Event
from penchant.domain.user_contribution import UserContribution
from penchant.refresh.refresh_input import read_refresh_input
from penchant.service.merge_users import MergedUsers, MergeUsersRequest, check_merge
from penchant.service.rank import RankRequest
from penchant.service.rebuilt_counters import rebuild_counters
from penchant.service.rebuilt_ledgers import RebuiltLedgers, rebuild_ledgers
from penchant.service.rebuilt_records import rebuild_user
from penchant.service.reservation_ledger import ReservationLedger
from penchant.store.item_contributions import contributors, decode_contribution
from penchant.store.keys import Kind, encode
from penchant.store.ledgers import read_ledger
from penchant.store.owned import read_owned
from penchant.store.users import holds_user, read_log
from tests.support.histories import FILMS, events
from tests.support.world import NOW_US, World, liked
from tests.unit.service.test_item_counts import assert_same_counts

VISITOR, ACCOUNT = "v", "u"


def new_world(directory: Path) -> World:
    world = World(directory)
    world.put(**FILMS)
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


def merge(world: World, goes: str = VISITOR, stays: str = ACCOUNT) -> MergedUsers:
    return world.users.merge(MergeUsersRequest(goes, stays))


def contributions(world: World, user: str) -> dict[int, UserContribution]:
    with world.store.snapshot() as snapshot:
        return {
            number: decode_contribution(value)
            for number in range(len(FILMS))
            for name, value in contributors(snapshot, number)
            if name == user
        }


def assert_same_user(one: World, user: str, other: World, same: str) -> None:
    """Expects equal records, items of their own, contributions and counters of all items."""
    if one.state(user) is None or other.state(same) is None:
        assert one.state(user) is other.state(same) is None
    else:
        assert one.record_bytes(user) == other.record_bytes(same)
    with one.store.snapshot() as here, other.store.snapshot() as there:
        assert np.array_equal(read_owned(here, user), read_owned(there, same))
    mine, theirs = contributions(one, user), contributions(other, same)
    assert mine.keys() == theirs.keys()
    for number, contribution in mine.items():
        assert dataclasses.astuple(contribution) == pytest.approx(
            dataclasses.astuple(theirs[number]), rel=1e-9, abs=1e-9
        )
    assert_same_counts(one, other)


def of_one(history: list[Event], user: str) -> list[Event]:
    return [dataclasses.replace(event, user=user) for event in history]


@given(history=events(), repeated=st.lists(st.integers(0, 11), max_size=3))
def test_a_merge_equals_one_user_from_the_start_whichever_id_is_kept(
    history: list[Event], repeated: list[int]
) -> None:
    """Some events were sent under both ids, the second time a little later."""
    twice = [
        dataclasses.replace(
            history[place],
            user=VISITOR if history[place].user == ACCOUNT else ACCOUNT,
            occurred_at_us=history[place].occurred_at_us + 1_000_000 * (number % 2),
        )
        for number, place in enumerate(dict.fromkeys(repeated))
        if place < len(history)
    ]
    with tempfile.TemporaryDirectory() as place:
        here, there, one = (new_world(Path(place) / name) for name in ("a", "b", "c"))
        for world in (here, there):
            if history:
                world.feed(*history, *twice)
        if history:
            one.feed(*of_one(history, "one"))
        first, second = merge(here), merge(there, ACCOUNT, VISITOR)
        assert_same_user(here, ACCOUNT, one, "one")
        assert_same_user(there, VISITOR, one, "one")
        assert first.state_version == second.state_version == len(history)
        again = merge(here)
        assert (again.moved_events, again.state_version) == (0, len(history))
        assert_same_user(here, ACCOUNT, one, "one")
        with here.store.snapshot() as snapshot:
            assert not holds_user(snapshot, VISITOR)
        assert not contributions(here, VISITOR)


@given(history=events())
def test_a_rebuild_and_a_refresh_see_a_merge_as_one_user(history: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as place:
        here, one = new_world(Path(place) / "a"), new_world(Path(place) / "b")
        if not history:
            return
        here.feed(*history)
        one.feed(*of_one(history, ACCOUNT))
        merge(here)
        with here.store.snapshot() as snapshot, one.store.snapshot() as other:
            made = rebuild_user(
                snapshot, here.log(ACCOUNT), here.config.signals, here.config.fold.window_events
            )
            assert made.record == made.record
            assert made.record.state_version == here.record(ACCOUNT).state_version
            assert made.record.window.tobytes() == here.record(ACCOUNT).window.tobytes()
            mine = read_refresh_input(snapshot, here.config).events
            theirs = read_refresh_input(other, one.config).events
        rows = [
            sorted(zip(log.user, log.item, log.reward, log.at_us, strict=True))
            for log in (mine, theirs)
        ]
        assert rows[0] == rows[1]
        before = contributions(here, ACCOUNT)
        rebuild_counters(here.store, here.config.signals, here.config.offset_half_life_s)
        after = contributions(here, ACCOUNT)
        assert after.keys() == before.keys()
        assert_same_counts(here, one)


def test_rankings_read_the_merge_at_once(world: World) -> None:
    world.feed(liked("a1", "heat", user=ACCOUNT))
    world.feed(*[liked(f"v{n}", id_, user=VISITOR) for n, id_ in enumerate(("alien", "gravity"))])
    merged = merge(world)
    assert merged == MergedUsers(moved_events=2, state_version=3)
    request = RankRequest(ACCOUNT, 6, min_state_version=merged.state_version)
    reply = world.rank(request)
    assert reply.state_version == 3
    assert world.rank(RankRequest(VISITOR, 6)).cold_start


def test_an_item_that_both_liked_counts_one_user(world: World) -> None:
    world.feed(liked("a1", "heat", user=ACCOUNT), liked("v1", "heat", user=VISITOR))
    merge(world)
    assert contributions(world, ACCOUNT)[4].counted.positives == pytest.approx(1.0)
    other = new_world(world.directory / "other")
    other.feed(liked("a1", "heat", user="x"))
    assert_same_counts(world, other)
    # The process of feedback has read it: the next event counts on from one user.
    world.feed(liked("b1", "heat", user="bob"))
    other.feed(liked("b1", "heat", user="bob"))
    assert_same_counts(world, other)


def test_an_id_that_stands_for_another_event_of_the_account_loses_nothing(world: World) -> None:
    """Ids are a user's own: visitors may well count theirs from 1."""
    world.feed(liked("1", "heat", user=ACCOUNT), liked("1", "alien", user=VISITOR))
    assert merge(world).moved_events == 1
    assert sorted(row.event.item for row in world.log(ACCOUNT)) == ["alien", "heat"]
    world.feed(liked("1", "alien", user=VISITOR))  # Sent again under the old id, and merged again.
    assert merge(world).moved_events == 0
    assert len(world.log(ACCOUNT)) == 2


def test_reservations_and_caps_go_along(world: World) -> None:
    option = ReserveOption("heat", (Cap("campaign", 1, 3600),), Budget("money", 10, 100))

    def reserved(user: str, recommendation: str) -> int:
        with world.store.transaction() as transaction:
            ledger = ReservationLedger(transaction, NOW_US)
            request = ReserveRequest(user, recommendation, (option,), n=1, lapse_s=60)
            found = ledger.reserve(request, NOW_US)
            ledger.write()
        return len(found.reserved)

    assert reserved(VISITOR, "r1") == 1
    assert merge(world) == MergedUsers(0, 0)
    assert reserved(ACCOUNT, "r2") == 0  # Capped by the visitor's own reservation.
    with world.store.snapshot() as snapshot:
        assert len(read_ledger(snapshot, ACCOUNT)) == 1
        assert not len(read_ledger(snapshot, VISITOR))
    world.feed(liked("shown", "heat", user=ACCOUNT, signal="impression", recommendation_id="r1"))
    with world.store.snapshot() as snapshot:
        assert read_ledger(snapshot, ACCOUNT)["shown_at_us"][0] == NOW_US
    # The log of reservations and receipts went along: it gives the same ledgers and budgets.
    assert rebuild_ledgers(world.store, NOW_US) == RebuiltLedgers(users=1, budgets=1)
    merge(world, ACCOUNT, "elsewhere")
    assert rebuild_ledgers(world.store, NOW_US) == RebuiltLedgers(users=1, budgets=1)
    with world.store.snapshot() as snapshot:
        ((_, paid),) = [
            (row.event.event_id, row.receipt.cost_micros)
            for row in read_log(snapshot, "elsewhere")
            if row.receipt is not None
        ]
    assert paid == 10


def test_strangers_can_be_merged_and_one_user_cannot(world: World) -> None:
    assert merge(world, "nobody", "none") == MergedUsers(0, 0)
    with pytest.raises(InvalidRequest, match="which is from_user too"):
        check_merge(MergeUsersRequest("a", "a"), Limits())
    for wrong in (MergeUsersRequest("", "a"), MergeUsersRequest("a", "b" * 257)):
        with pytest.raises(InvalidRequest, match=r"from_user|to_user"):
            check_merge(wrong, Limits())


def test_a_merge_that_would_hold_up_all_writers_is_refused_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.service.merge_users.MOST_EVENTS", 3)
    world.feed(*[liked(f"e{place}", "toy", user=VISITOR) for place in range(4)])
    world.feed(liked("mine", "heat", user=ACCOUNT))
    with pytest.raises(InvalidRequest, match="from_user: got a user with more than 3 events"):
        merge(world)
    assert world.record(VISITOR).state_version == 4
    assert merge(world, ACCOUNT, VISITOR).moved_events == 1, "the other way is short"


def test_what_cannot_be_read_is_not_lost_by_a_merge(world: World) -> None:
    world.feed(liked("v1", "heat", user=VISITOR))
    with world.store.transaction() as transaction:
        (key, _), *_ = transaction.scan(encode(Kind.LOG, VISITOR))
        transaction.put(key, b"\x04garbage")
    with pytest.raises(StateCorrupt):
        merge(world)
    with world.store.snapshot() as snapshot:
        assert holds_user(snapshot, VISITOR)
