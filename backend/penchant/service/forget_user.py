"""Forgets a user: deletes all that is kept, takes back what others see, leaves a tombstone.

Afterwards the store is as if it had never met the user, except for the tombstone and for money:
what shown impressions have spent of budgets stays spent, in sums without a name. Vectors that a
refresh has learnt follow at the next refresh, for which the clock is told that events are missing.
"""

from __future__ import annotations

import logging
import secrets

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.domain.tombstone import ForgetReceipt, Tombstone
from penchant.service.item_counts import withdraw
from penchant.service.kept_data import KIND_NAMES, not_found
from penchant.service.reservation_history import ALL_LAPSED_US, read_history
from penchant.service.reservation_ledger import ReservationLedger
from penchant.store.accepted_events import take_accepted
from penchant.store.base import Store, Transaction
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
    with store.transaction() as transaction:
        if not holds_user(transaction, user):
            before = read_tombstone(transaction, user)
            if before is None:
                raise not_found(user)
            return before.receipt, []
        newest_us = newest_event_us(transaction, user)
        items = withdraw(transaction, user, half_life_s)
        left = _closed_accounts(transaction, user, now_us)
        rows = delete_user(transaction, user)
        _forget_times(transaction, newest_us, rows.get(Kind.LOG, 0))
        deleted = {KIND_NAMES[kind]: count for kind, count in rows.items()}
        if items:
            deleted[KIND_NAMES[Kind.CONTRIBUTION]] = len(items)
        receipt = ForgetReceipt(secrets.token_hex(16), now_us, deleted)
        tombstone = Tombstone(receipt, max(now_us, newest_us))
        buried = _buried(transaction, user, tombstone)
        note_forgotten(transaction, user, receipt.id)
        noted = not items or _noted(transaction, items)
    if left or not noted or not buried:
        # A full store takes new rows only once the user's are gone.
        with store.transaction() as transaction:
            if not buried and not _buried(transaction, user, tombstone):
                log.error("the store is full; old events of a forgotten user are not refused")
            if add_to_balances(transaction, left):
                log.error("the store is full; a forgotten user's charges are in no account")
            if not noted:
                _noted(transaction, items)
    return receipt, items


def _forget_times(transaction: Transaction, newest_us: int, events: int) -> None:
    """Takes the user out of the number of events and of the time of the newest one."""
    take_accepted(transaction, events)
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
    return add_to_balances(transaction, accounts)


def _noted(transaction: Transaction, items: list[int]) -> bool:
    """Tells the process of feedback which counters to read again, if the store has room."""
    try:
        add_recounted(transaction, items)
    except StoreUnavailable as error:
        log.warning("%s; the process of feedback will read %d counters late", error, len(items))
        return False
    return True
