"""Forgets a user: deletes all that is kept, takes back what others see, leaves a tombstone.

Afterwards the store is as if it had never met the user, except for the tombstone and for money:
what shown impressions have spent of budgets stays spent, in sums without a name. Vectors that a
refresh has learnt follow at the next refresh, for which the clock is told that events are missing.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from functools import partial

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.domain.tombstone import ForgetReceipt, Tombstone
from penchant.service.item_counts import withdraw
from penchant.service.kept_data import KIND_NAMES, not_found
from penchant.service.reservation_history import ALL_LAPSED_US, read_history
from penchant.service.reservation_ledger import ReservationLedger
from penchant.store.accepted_events import take_accepted
from penchant.store.base import Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.counters import add_recounted
from penchant.store.keys import Kind
from penchant.store.newest import delete_newest, read_newest, write_newest
from penchant.store.reservation_log import add_to_balances, has_reserved
from penchant.store.ship_notes import note_forgotten
from penchant.store.tombstones import read_tombstone, write_tombstone
from penchant.store.users import delete_user, holds_user, newest_event_of_all_us, newest_event_us

log = logging.getLogger("penchant")


def forget(
    store: Store, user: str, now_us: int, half_life_s: float
) -> tuple[ForgetReceipt, list[int]]:
    """Forgets a user, durably when this returns.

    Returns:
        The receipt, the same for a repetition; and the numbers of the items whose counters changed.
        Cost: one pass over the user's log, and a look at all records if nobody's event is newer.

    Raises:
        UserNotFound: nothing is kept, neither an event nor a reservation, and nothing ever was.
    """
    done = in_transaction(store, partial(_forgotten, user, now_us, half_life_s))
    if not (done.buried and done.noted) or done.left:
        # A full store takes new rows only once the user's are gone.
        in_transaction(store, partial(_completed, user, done))
    return done.tombstone.receipt, done.items


@dataclass(frozen=True, slots=True)
class _Forgotten:
    """What a transaction has deleted, and what it had no room for in a full store."""

    tombstone: Tombstone
    items: list[int]
    """Numbers of the items whose counters changed."""
    left: dict[AdAccountKey, AdAccount]
    """Accounts that are not kept yet."""
    buried: bool = True
    """Whether the tombstone is written."""
    noted: bool = True
    """Whether the process of feedback is told which counters to read again."""


def _forgotten(user: str, now_us: int, half_life_s: float, transaction: Transaction) -> _Forgotten:
    """Deletes the user; a second time, after a crash in between, what is left.

    Where several servers write, the tombstone is written before the user's rows go, so that an
    event that arrives elsewhere meanwhile is refused.
    """
    if not holds_user(transaction, user):
        before = read_tombstone(transaction, user)
        if before is None:
            raise not_found(user)
        return _Forgotten(before, [], {})
    newest_us = newest_event_us(transaction, user)
    items = withdraw(transaction, user, half_life_s)
    left = _closed_accounts(transaction, user, now_us)
    rows = delete_user(transaction, user)
    _forget_times(transaction, user, newest_us, rows.get(Kind.LOG, 0))
    deleted = {KIND_NAMES[kind]: count for kind, count in rows.items()}
    if items:
        deleted[KIND_NAMES[Kind.CONTRIBUTION]] = len(items)
    receipt = ForgetReceipt(secrets.token_hex(16), now_us, deleted)
    tombstone = Tombstone(receipt, max(now_us, newest_us))
    buried = _buried(transaction, user, tombstone)
    note_forgotten(transaction, user, receipt.id)
    noted = not items or _noted(transaction, items)
    return _Forgotten(tombstone, items, left, buried, noted)


def _completed(user: str, done: _Forgotten, transaction: Transaction) -> None:
    if not done.buried and not _buried(transaction, user, done.tombstone):
        log.error("the store is full; old events of a forgotten user are not refused")
    if add_to_balances(transaction, done.left, user):
        log.error("the store is full; a forgotten user's charges are in no account")
    if not done.noted:
        _noted(transaction, done.items)


def _forget_times(transaction: Transaction, user: str, newest_us: int, events: int) -> None:
    """Takes the user out of the number of events and of the time of the newest one.

    Where several servers write, that time stays: it would take a look at all users, of whom some
    write meanwhile, and it names nobody.
    """
    take_accepted(transaction, events, user)
    if transaction.shared:
        return
    if newest_us and newest_us >= (read_newest(transaction) or 0):
        others_us = newest_event_of_all_us(transaction)
        if others_us:
            write_newest(transaction, others_us)
        else:
            delete_newest(transaction)


def _buried(transaction: Transaction, user: str, tombstone: Tombstone) -> bool:
    try:
        write_tombstone(transaction, user, tombstone)
    except StoreUnavailable:
        return False
    return True


def _closed_accounts(
    transaction: Transaction, user: str, now_us: int
) -> dict[AdAccountKey, AdAccount]:
    """Gives back what a user only reserved, and keeps the sums of the accounts without the user.

    Returns:
        Accounts for which a full store has no room yet.
    """
    if not has_reserved(transaction, user):
        return {}
    try:
        accounts = read_history(transaction, user).accounts(ALL_LAPSED_US)
    except StateCorrupt:
        log.error("a forgotten user's reservations can't be read; charges are in no account")
        accounts = {}
    ledger = ReservationLedger(transaction, now_us)
    ledger.give_back(user)
    try:
        ledger.write()
    except StoreUnavailable as error:
        log.error("%s; what a forgotten user had reserved is held until it lapses", error)
    return add_to_balances(transaction, accounts, user)


def _noted(transaction: Transaction, items: list[int]) -> bool:
    """Tells the process of feedback which counters to read again, if the store has room."""
    try:
        add_recounted(transaction, items)
    except StoreUnavailable as error:
        log.warning("%s; the process of feedback will read %d counters late", error, len(items))
        return False
    return True
