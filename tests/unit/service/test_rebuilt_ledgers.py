"""Ledgers and budgets are a function of the log: rebuilt ones are the live ones."""

from __future__ import annotations

import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.ad_accounts import AdAccount
from penchant.domain.reservations import Budget, ReserveOption
from penchant.domain.spending import Spending
from penchant.domain.types import LogRow
from penchant.domain.window import digest64
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.rebuilt_ledgers import RebuiltLedgers, rebuild_ledgers
from penchant.service.reservation_history import read_history
from penchant.service.users import ExportUserRequest
from penchant.store import codec
from penchant.store.base import Snapshot
from penchant.store.keys import Kind, encode
from penchant.store.ledgers import read_ledger, read_spending
from penchant.store.reservation_log import scan_balances, scan_reserving_users
from penchant.wire.users import export_user_reply
from tests.support.ad_ledgers import OPTIONS, STEPS, AdDesk, rebuilt, what_counts, without_ledgers
from tests.support.world import SECOND_US, World, copy_of, liked

TEXTS = {"toy": "toys", "heat": "heat", "bug": "bugs", "babe": "a pig"}
PAID = (ReserveOption("toy", (), Budget("money", 10, 100)),)


def desk_in(directory: Path) -> AdDesk:
    world = World(directory)
    world.put(**TEXTS)
    return AdDesk(world)


@pytest.fixture
def desk(tmp_path: Path) -> AdDesk:
    return desk_in(tmp_path)


def counts(desk: AdDesk) -> dict[str | int, object]:
    with desk.world.store.snapshot() as snapshot:
        return what_counts(snapshot, desk.world.now_us)


def totals(snapshot: Snapshot, now_us: int) -> AdAccount:
    found = AdAccount()
    for _, account in scan_balances(snapshot):
        assert account is not None
        found += account
    for user in scan_reserving_users(snapshot):
        for account in read_history(snapshot, user).accounts(now_us).values():
            found += account
    return found


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_rebuilt_ledgers_and_budgets_are_the_live_ones(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        desk = desk_in(Path(directory))
        for step in steps:
            desk.step(step)
        live, now_us = counts(desk), desk.world.now_us
        lost = copy_of(desk.world.store)
        without_ledgers(lost)
        rebuilt(lost, now_us)
        with lost.snapshot() as snapshot:
            assert what_counts(snapshot, now_us) == live
        # Live ones agree with the log already, and rebuilt ones too: nothing is written.
        for store in (desk.world.store, lost):
            made = rebuilt(store, now_us)
            assert (made.corrected_users, made.corrected_budgets) == (0, 0)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, place=st.integers(0, 29))
def test_a_rebuild_in_between_changes_no_later_answer(steps: list[Any], place: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        desks = desk_in(Path(one)), desk_in(Path(other))
        for number, step in enumerate(steps):
            if number == place:
                without_ledgers(desks[1].world.store)
                rebuilt(desks[1].world.store, desks[1].world.now_us)
            assert desks[0].step(step) == desks[1].step(step)
        assert counts(desks[0]) == counts(desks[1])


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_every_micro_that_was_spent_is_in_one_account(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        desk = desk_in(Path(directory))
        made = sum(len(reply.reserved) for step in steps if (reply := desk.step(step)) is not None)
        with desk.world.store.snapshot() as snapshot:
            found = totals(snapshot, desk.world.now_us)
            budgets = ("money", "money@2023-11-14")
            spent = [read_spending(snapshot, digest64(key)).spent_micros for key in budgets]
        assert found.charged_micros == sum(spent)
        assert 0 <= found.confirmed <= found.reserved <= made
        assert min(found.open, found.lapsed) >= 0


def test_a_damaged_ledger_and_budget_come_back(desk: AdDesk) -> None:
    desk.reserve("u", "r", OPTIONS, n=3)
    desk.show("u", "r", "toy")
    live = counts(desk)
    with desk.world.store.transaction() as transaction:
        transaction.put(encode(Kind.LEDGER, "u"), b"\x05garbage")
        transaction.put(encode(Kind.BUDGET, digest64("money")), b"\x04garbage")
    made = rebuilt(desk.world.store, desk.world.now_us)
    assert (made.corrected_users, made.corrected_budgets) == (1, 1)
    assert counts(desk) == live


def test_a_change_between_comparison_and_correction_is_kept(
    desk: AdDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running server spends while the budgets are rebuilt."""
    desk.reserve("u", "r", PAID)
    desk.show("u", "r", "toy")
    without_ledgers(desk.world.store)

    def meanwhile(stage: str, done: float) -> None:
        if (stage, done) == ("Rebuilding budgets", 0):
            desk.reserve("v", "r2", PAID)
            desk.show("v", "r2", "toy")

    rebuild_ledgers(desk.world.store, desk.world.now_us, meanwhile)
    with desk.world.store.snapshot() as snapshot:
        assert read_spending(snapshot, digest64("money")) == Spending(20)


def test_what_a_forgotten_user_spent_stays_in_an_account_without_the_user(desk: AdDesk) -> None:
    desk.reserve("u", "r", OPTIONS, n=3)
    desk.show("u", "r", "toy")
    desk.world.users.forget("u")
    with desk.world.store.snapshot() as snapshot:
        assert scan_reserving_users(snapshot) == []
        assert totals(snapshot, desk.world.now_us) == AdAccount(3, 1, 0, 21, 10)
        assert not [key for key, _ in snapshot.scan(b"") if b"Tu\x00" in key]
    without_ledgers(desk.world.store)
    rebuilt(desk.world.store, desk.world.now_us)
    with desk.world.store.snapshot() as snapshot:
        assert read_spending(snapshot, digest64("money")) == Spending(10)


@pytest.mark.parametrize("id_", ["r", "r2"])
def test_two_users_made_one_keep_every_charge_and_every_cap(desk: AdDesk, id_: str) -> None:
    desk.reserve("u", "r", OPTIONS, n=3)
    desk.show("u", "r", "toy")
    desk.world.now_us += SECOND_US
    desk.reserve("v", id_, PAID)  # Under the same id, both impressions are one event.
    desk.show("v", id_, "toy")
    with desk.world.store.snapshot() as snapshot:
        before = totals(snapshot, desk.world.now_us)
    desk.world.users.merge(MergeUsersRequest("v", "u"))
    with desk.world.store.snapshot() as snapshot:
        after = totals(snapshot, desk.world.now_us)
        assert scan_reserving_users(snapshot) == ["u"]
        assert (after.reserved, after.charged_micros) == (before.reserved, 20)
    made = rebuilt(desk.world.store, desk.world.now_us)
    if id_ != "r":
        assert (made.corrected_users, made.corrected_budgets) == (0, 0)
    with desk.world.store.snapshot() as snapshot:
        assert read_spending(snapshot, digest64("money")).spent_micros == 20


def older(value: bytes) -> bytes:
    """A row as a release of schema 4 wrote it."""
    payload = value[5:]
    return struct.pack("<BI", 4, zlib.crc32(payload, 4)) + payload


def as_an_older_release_left_it(desk: AdDesk) -> None:
    """Takes out of a store what releases of schema 4 did not write."""
    with desk.world.store.transaction() as transaction:
        for key, value in list(transaction.scan(b"")):
            if key[:1] in (b"Q", b"A", b"B"):
                transaction.delete(key)
            elif key[:1] == b"L":
                row = codec.decode_log_row(value)
                plain = LogRow(row.event, row.state_version, row.accepted_at_us)
                transaction.put(key, older(codec.encode_log_row(plain)))
            elif key[:1] in (b"G", b"M"):
                transaction.put(key, older(value))


@pytest.mark.parametrize("touched", [False, True])
def test_what_an_older_release_granted_and_spent_survives_a_rebuild(
    desk: AdDesk, touched: bool
) -> None:
    desk.reserve("u", "r", OPTIONS, n=3)
    desk.show("u", "r", "toy")
    as_an_older_release_left_it(desk)
    if touched:
        desk.show("u", "r", "heat")
        desk.world.now_us += 7 * SECOND_US
        desk.reserve("u", "r2", OPTIONS[3:])
    live = counts(desk)
    made = rebuilt(desk.world.store, desk.world.now_us)
    assert (made.corrected_users, made.corrected_budgets) == (0, 0)
    assert counts(desk) == live
    if touched:
        without_ledgers(desk.world.store)
        rebuilt(desk.world.store, desk.world.now_us)
        after = counts(desk)
        # A budget that the new release has not touched has no other source than itself.
        untouched = digest64("money")
        assert {**after, untouched: live[untouched]} == live


def test_a_log_that_cannot_be_read_costs_no_budget_its_spending(desk: AdDesk) -> None:
    desk.reserve("u", "r", PAID)
    desk.show("u", "r", "toy")
    live = counts(desk)
    with desk.world.store.transaction() as transaction:
        ((key, value),) = transaction.scan(encode(Kind.LOG, "u"))
        transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))
    made = rebuilt(desk.world.store, desk.world.now_us)
    assert made.unreadable == 1
    assert counts(desk) == live


def test_a_rebuild_of_nothing_makes_nothing(desk: AdDesk) -> None:
    assert rebuilt(desk.world.store, desk.world.now_us) == RebuiltLedgers()
    with desk.world.store.snapshot() as snapshot:
        assert len(read_ledger(snapshot, "u")) == 0


def test_an_export_says_what_a_shown_impression_cost(desk: AdDesk) -> None:
    desk.reserve("u", "r", PAID)
    desk.show("u", "r", "toy")
    desk.world.feed(liked("e", "toy"))
    page = desk.world.users.export(ExportUserRequest("u", 0, 10))
    charged, free = export_user_reply(page).export_user.events
    assert (charged.cost_micros, charged.reserved_at_us) == (10, desk.world.now_us)
    assert not free.HasField("cost_micros")
    assert not free.HasField("reserved_at_us")
