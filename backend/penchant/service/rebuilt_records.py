"""Rebuilds users' records from their event logs, as the configuration reads the events now.

A record is a function of the log, so a rebuilt one equals the live one byte for byte. After a
change of the signal table or of the window, a rebuild gives old events their new reward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penchant.domain.rewards import SignalTable, resolve
from penchant.domain.types import LogRow, Record, UserState
from penchant.domain.window import empty_record, entry, insert
from penchant.store.base import Snapshot, Store
from penchant.store.items import read_sound_item
from penchant.store.owned import read_owned, write_owned
from penchant.store.users import read_log, scan_user_ids, write_user
from penchant.system.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class RebuiltUser:
    """A user's state as the log gives it."""

    record: Record
    owned: frozenset[int]
    """Numbers of the items that the user owns."""


def rebuild_user(
    snapshot: Snapshot, rows: Iterable[LogRow], signals: SignalTable, window_events: int
) -> RebuiltUser:
    """Builds a user's state from log rows, in any order.

    Raises:
        InvalidEvent: a row's signal is no longer configured.
    """
    entries = []
    owned = set()
    for row in rows:
        stored = read_sound_item(snapshot, row.event.item)
        if stored is not None:
            outcome = resolve(signals, row.event.signal, row.event.value)
            entries.append(entry(row.event, stored.number, outcome))
            if outcome.owned:
                owned.add(stored.number)
    record = insert(empty_record(), entries, window_events)
    return RebuiltUser(record, frozenset(owned))


def rebuild_records(
    store: Store, signals: SignalTable, window_events: int, progress: Progress = no_progress
) -> int:
    """Rebuilds every record in place, one durable transaction per user.

    Safe beside a running server: each user is read and written in one transaction, and the cache of
    the fold is made anew at the user's next touch.

    Returns:
        The number of users.
    """
    with store.snapshot() as snapshot:
        users = list(scan_user_ids(snapshot))
    rebuilt = 0
    for place, user in enumerate(users):
        progress("Rebuilding records", place / len(users))
        with store.transaction() as transaction:
            rows = read_log(transaction, user)
            if rows:  # Empty if the user was forgotten after the list was made.
                made = rebuild_user(transaction, rows, signals, window_events)
                write_user(transaction, user, UserState(made.record))
                if made.owned or len(read_owned(transaction, user)):
                    write_owned(transaction, user, made.owned)
                rebuilt += 1
    progress("Rebuilding records", 1.0)
    return rebuilt
