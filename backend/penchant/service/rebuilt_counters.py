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

from penchant.domain.errors import StateCorrupt
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.tally import Tally
from penchant.domain.types import LogRow
from penchant.service.item_counts import recount
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import add_recounted
from penchant.store.item_contributions import delete_contribution, write_contribution
from penchant.store.items import read_head, read_sound_item
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
