"""Rebuilds items' counters from the event logs, beside a running server.

First each user's contributions are made again from that user's log; then each item's counters from
all contributions to it. Both steps are functions of the log, and every step is one transaction, so
that events that arrive meanwhile are counted once. Nothing old is added to: damaged rows, and those
of an older release, are replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from penchant.domain.errors import StateCorrupt
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.tally import Tally
from penchant.domain.types import Counters, LogRow
from penchant.domain.user_contribution import added
from penchant.service.item_counts import recount
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.counters import (
    UNREADABLE,
    add_recounted,
    delete_counters,
    read_counters,
    write_counters,
)
from penchant.store.item_contributions import (
    delete_contribution,
    scan_contributions,
    write_contribution,
)
from penchant.store.items import read_head, read_sound_item
from penchant.store.keys import Kind, encode
from penchant.store.short_transactions import in_short_transactions
from penchant.store.users import read_whole_log, scan_user_ids
from penchant.system.progress import Progress, no_progress

log = logging.getLogger("penchant")


@dataclass(slots=True)
class RebuiltCounters:
    """What a rebuild of the counters went through."""

    users: int = 0
    items: int = 0
    unreadable: int = 0
    """Users whose log can't be read; their contributions stay as they are."""
    retired: RetiredSignals = field(default_factory=RetiredSignals)
    """Events that the signal table has no reward for, which count for nothing."""


def rebuild_counters(
    store: Store, signals: SignalTable, half_life_s: float, progress: Progress = no_progress
) -> RebuiltCounters:
    """Makes every contribution and every item's counters again.

    Items keep the credit that their texts were given when they were put; older releases did not
    note it, so that their items lose it.

    Args:
        store: the server's, which may be running.
        signals: rewards of the signals.
        half_life_s: seconds after which a contribution counts half.
        progress: called as the two steps go on.
    """
    made = RebuiltCounters()
    with store.snapshot() as snapshot:
        users = list(scan_user_ids(snapshot))

    def contributions(transaction: Transaction, user: str) -> None:
        try:
            rows = read_whole_log(transaction, user)
        except StateCorrupt as error:
            log.error("the log of a user can't be read (%s); its events stay as counted", error)
            made.unreadable += 1
            return
        _rewrite(transaction, user, rows, signals, half_life_s, made.retired)
        made.users += 1

    if store.shared:
        return _rebuilt_beside_others(store, users, signals, half_life_s, progress)
    in_short_transactions(store, users, contributions, progress, "Reading the logs")
    with store.snapshot() as snapshot:
        numbers = range(read_head(snapshot).rows)
    made.items = len(numbers)

    def counters(transaction: Transaction, number: int) -> None:
        recount(transaction, number, half_life_s, drop_strangers=True)

    in_short_transactions(store, numbers, counters, progress, "Counting the items")
    with store.transaction() as transaction:
        add_recounted(transaction, numbers)
    return made


def _rebuilt_beside_others(
    store: Store,
    users: Sequence[str],
    signals: SignalTable,
    half_life_s: float,
    progress: Progress,
) -> RebuiltCounters:
    """As `rebuild_counters`, where other servers write: each user alone, then all items at once."""
    made = RebuiltCounters()
    for done, user in enumerate(users):
        progress("Reading the logs", done / len(users))
        work = partial(_rewritten, user=user, signals=signals, half_life_s=half_life_s)
        retired = in_transaction(store, work)
        if retired is None:
            made.unreadable += 1
        else:
            made.users += 1
            made.retired.add(retired)
    progress("Counting the items", 0.0)
    made.items = in_transaction(store, partial(_recount_all, half_life_s=half_life_s))
    progress("Counting the items", 1.0)
    return made


def _rewritten(
    transaction: Transaction, user: str, signals: SignalTable, half_life_s: float
) -> RetiredSignals | None:
    """Makes a user's contributions again; None: the log can't be read, and they stay."""
    try:
        rows = read_whole_log(transaction, user)
    except StateCorrupt as error:
        log.error("the log of a user can't be read (%s); its events stay as counted", error)
        return None
    retired = RetiredSignals()
    _rewrite(transaction, user, rows, signals, half_life_s, retired)
    return retired


def _recount_all(transaction: Transaction, half_life_s: float) -> int:
    """Makes all items' counters from all contributions; returns the number of items.

    A contribution that is read may wait to be counted, so all that waits is counted before the
    commit, which fails if the counters are not those that were read first. What is committed
    afterwards is counted onto the new ones.
    """
    numbers = range(read_head(transaction).rows)
    transaction.fetch(encode(Kind.COUNTERS, number) for number in numbers)
    before = {number: read_counters(transaction, number) for number in numbers}
    sums: dict[int, Counters] = {}
    for number, contribution in scan_contributions(transaction):
        sums[number] = added(sums.get(number, Counters()), contribution, half_life_s)
    transaction.settle()
    for number, counters in before.items():
        now = sums.get(number, Counters())
        if counters is UNREADABLE or (counters, counters.exact) != (now, now.exact):
            if now == Counters():
                delete_counters(transaction, number)
            else:
                write_counters(transaction, number, now)
    return len(numbers)


def _rewrite(
    transaction: Transaction,
    user: str,
    rows: Sequence[LogRow],
    signals: SignalTable,
    half_life_s: float,
    retired: RetiredSignals,
) -> None:
    """Replaces a user's contributions by those that the log gives."""
    tally, seen = Tally(half_life_s), set[int]()
    for row in rows:
        number = _number(transaction, row.event.item)
        outcome = retired.resolve(signals, row.event)
        if number is not None:
            seen.add(number)
            if outcome is not None:
                tally.count(user, number, outcome, row.event.occurred_at_us)
    for number in seen:
        contribution = tally.contributions.get(number, {}).get(user)
        if contribution is None:
            delete_contribution(transaction, number, user)
        else:
            write_contribution(transaction, number, user, contribution)


def _number(snapshot: Snapshot, item: str) -> int | None:
    stored = read_sound_item(snapshot, item)  # What counts for a corrupt one stays as it is.
    return None if stored is None else stored.number
