"""Rebuild: users' records from their event logs, as the configuration reads them now.

A record is a function of the log, so a rebuilt one equals the live one byte for byte; after a
change of the signal table or of the window, rebuilding is how old events get their new worth.
"""

from __future__ import annotations

from collections.abc import Iterable

from penchant.config import Config
from penchant.domain.rewards import resolve
from penchant.domain.types import LogRow, Record, UserState
from penchant.domain.window import empty_record, entry, insert
from penchant.store.base import Snapshot, Store
from penchant.store.items import read_item
from penchant.store.users import read_log, scan_user_ids, write_user


def rebuild_record(snapshot: Snapshot, rows: Iterable[LogRow], config: Config) -> Record:
    """The record that a user's log rows make, in whatever order they come.

    Raises:
        InvalidEvent: a row's signal is no longer configured.
    """
    entries = []
    for row in rows:
        stored = read_item(snapshot, row.event.item)
        if stored is not None:
            outcome = resolve(config.signals, row.event.signal, row.event.value)
            entries.append(entry(row.event, stored.number, outcome))
    return insert(empty_record(), entries, config.fold.window_events)


def rebuild_all(store: Store, config: Config) -> int:
    """Rebuilds every record in place, one durable transaction a user; returns how many.

    Safe beside a running server: each user is read and written in one transaction, and a fold's
    cache is made anew at the user's next touch.
    """
    with store.snapshot() as snapshot:
        users = list(scan_user_ids(snapshot))
    rebuilt = 0
    for user in users:
        with store.transaction() as transaction:
            rows = read_log(transaction, user)
            if rows:  # None: forgotten since the list was made.
                record = rebuild_record(transaction, rows, config)
                write_user(transaction, user, UserState(record))
                rebuilt += 1
    return rebuilt
