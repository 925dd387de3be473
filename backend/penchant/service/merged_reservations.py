"""Makes the reservations of two users those of one, in the log and in the ledger.

A budget's charges are receipts in the rows of the event log. Where an event of both users becomes
one row, a second receipt has no row any more: its charge moves to the campaign's balance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.frequency_caps import Ledger, merged
from penchant.domain.reservations import ReservedImpression
from penchant.domain.types import LogRow
from penchant.store.base import Snapshot, Transaction
from penchant.store.ledgers import is_logged_ledger, read_ledger
from penchant.store.reservation_log import (
    add_to_balances,
    read_past_ledger,
    read_reserved,
    scan_reserved,
    write_past_ledger,
    write_reserved,
)


def merge_reservations(
    transaction: Transaction, goes: str, stays: str, unpaired: Iterable[LogRow]
) -> Ledger:
    """Moves the log of reservations; the rows of the user that goes are deleted by the caller.

    Args:
        transaction: commits all of it.
        goes: the user that goes.
        stays: the user that is kept.
        unpaired: rows with a receipt that no row of the merged log keeps.

    Returns:
        The ledger of both, to be written.

    Raises:
        StateCorrupt, StateTooNew: a row can't be read.
    """
    moved: defaultdict[str, list[ReservedImpression]] = defaultdict(list)
    for recommendation_id, impression in scan_reserved(transaction, goes):
        moved[recommendation_id].append(impression)
    for recommendation_id, impressions in moved.items():
        both = [*read_reserved(transaction, stays, recommendation_id), *impressions]
        both.sort(key=lambda one: one.at_us)
        write_reserved(transaction, stays, recommendation_id, both)
    past = merged(_past(transaction, stays), _past(transaction, goes))
    if len(past):
        write_past_ledger(transaction, stays, past)
    for row in unpaired:
        if row.receipt is not None:
            key = AdAccountKey(row.event.item, "", row.receipt.budget)
            add_to_balances(transaction, {key: AdAccount(charged_micros=row.receipt.cost_micros)})
    return merged(read_ledger(transaction, stays), read_ledger(transaction, goes))


def _past(snapshot: Snapshot, user: str) -> Ledger:
    read = read_past_ledger if is_logged_ledger(snapshot, user) else read_ledger
    return read(snapshot, user)
