"""Moves a user's events that a wrong clock dated far ahead to now, in the log and in the record.

They would otherwise be the user's newest events, before all later ones, until that time comes. The
log is changed, so that the record stays a function of the log.
"""

from __future__ import annotations

import dataclasses

from penchant.domain.rewards import SignalTable
from penchant.domain.types import Record, UserState
from penchant.service.rebuilt_records import rebuild_user
from penchant.store.base import Transaction
from penchant.store.ship_notes import note_changed
from penchant.store.users import read_log, read_user, write_event, write_user


def dated_after(record: Record, latest_us: int) -> bool:
    """Whether the newest event of a record is later than a moment."""
    window = record.window
    return len(window) > 0 and int(window["occurred_at_us"][-1]) > latest_us


def redate(
    transaction: Transaction,
    user: str,
    latest_us: int,
    now_us: int,
    signals: SignalTable,
    window_events: int,
) -> Record:
    """Moves a user's events of a later time than `latest_us` to just before now, in their order.

    So whatever the user does next is newer. Returns the record.

    Cost: reads the user's log, and writes the events that move.

    Raises:
        StateCorrupt, StateTooNew: the log can't be read.
    """
    log = read_log(transaction, user)
    later = [row for row in log if row.event.occurred_at_us > latest_us]
    later.sort(key=lambda row: (row.event.occurred_at_us, row.state_version))
    rows = [row for row in log if row.event.occurred_at_us <= latest_us]
    for place, row in enumerate(later):
        at_us = now_us - len(later) + place
        event = dataclasses.replace(row.event, occurred_at_us=at_us)
        moved = dataclasses.replace(row, event=event, accepted_at_us=min(row.accepted_at_us, at_us))
        write_event(transaction, moved)
        rows.append(moved)
    note_changed(transaction, user, [row.event.event_id for row in later])
    before, made = (
        read_user(transaction, user),
        rebuild_user(transaction, rows, signals, window_events),
    )
    version = max(made.record.state_version, 0 if before is None else before.record.state_version)
    record = Record(version, made.record.window)
    write_user(transaction, user, UserState(record))
    return record
