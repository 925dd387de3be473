"""Rebuilds users' records from their event logs, as the configuration reads the events now.

A record is a function of the log, so a rebuilt one equals the live one byte for byte. After a
change of the signal table or of the window, a rebuild gives old events their new reward; events of
signals that the table no longer holds are left out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from penchant.domain.errors import StateCorrupt
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.types import LogRow, Record, UserState
from penchant.domain.window import empty_record, entry, insert
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.items import read_sound_item
from penchant.store.owned import has_owned, write_owned
from penchant.store.ship_notes import note_lowered
from penchant.store.short_transactions import in_short_transactions
from penchant.store.users import read_log, read_user, read_whole_log, scan_user_ids, write_user
from penchant.system.progress import Progress, no_progress

log = logging.getLogger("penchant")


@dataclass(frozen=True, slots=True)
class RebuiltUser:
    """A user's state as the log gives it."""

    record: Record
    owned: frozenset[int]
    """Numbers of the items that the user owns."""


def rebuild_user(
    snapshot: Snapshot,
    rows: Sequence[LogRow],
    signals: SignalTable,
    window_events: int,
    retired: RetiredSignals | None = None,
) -> RebuiltUser:
    """Builds a user's state from log rows, in any order.

    The state version counts every row, so that it never goes back.

    Args:
        snapshot: holds the items.
        rows: the user's log.
        signals: rewards of the signals.
        window_events: size of the window.
        retired: counts the events that the table has no reward for; they are left out.
    """
    retired = RetiredSignals() if retired is None else retired
    entries = []
    owned = set()
    for row in rows:
        stored = read_sound_item(snapshot, row.event.item)
        outcome = retired.resolve(signals, row.event)
        if stored is not None and outcome is not None:
            entries.append(entry(row.event, stored.number, outcome))
            if outcome.owned:
                owned.add(stored.number)
    window = insert(empty_record(), entries, window_events).window
    version = max((row.state_version for row in rows), default=0)
    return RebuiltUser(Record(version, window), frozenset(owned))


def rebuild_records(
    store: Store,
    signals: SignalTable,
    window_events: int,
    progress: Progress = no_progress,
    retired: RetiredSignals | None = None,
) -> int:
    """Rebuilds every record in place, in short transactions.

    A user whose log can't be read whole stays as it is, or, if the record is corrupt too, is made
    from the rows that can be read.

    Safe beside a running server: each user is read and written in one transaction, and the cache of
    the fold is made anew at the user's next touch.

    Returns:
        The number of users.
    """
    with store.snapshot() as snapshot:
        users = list(scan_user_ids(snapshot))
    rebuilt = 0

    def rebuild(transaction: Transaction, user: str) -> None:
        nonlocal rebuilt
        before = _version_of(transaction, user)
        try:
            rows = read_whole_log(transaction, user)
        except StateCorrupt as error:
            if before is not None:
                log.error("the log of a user can't be read (%s); its record stays as it is", error)
                return
            rows = read_log(transaction, user)
        if rows:  # Empty if the user was forgotten after the list was made.
            made = rebuild_user(transaction, rows, signals, window_events, retired)
            # Retention may have deleted the row of the highest version, which must not come again.
            version = max(made.record.state_version, before or 0)
            write_user(transaction, user, UserState(Record(version, made.record.window)))
            if before is None:
                note_lowered(transaction, user, version)
            if made.owned or has_owned(transaction, user):
                write_owned(transaction, user, made.owned)
            rebuilt += 1

    in_short_transactions(store, users, rebuild, progress, "Rebuilding records")
    return rebuilt


def _version_of(snapshot: Snapshot, user: str) -> int | None:
    """The state version of a record; None if there is none that can be read."""
    try:
        state = read_user(snapshot, user)
    except StateCorrupt:
        return None
    return None if state is None else state.record.state_version
