"""Rebuilds users' records from their event logs, as the configuration reads the events now.

A record is a function of the log, so a rebuilt one equals the live one byte for byte. After a
change of the signal table or of the window, a rebuild gives old events their new reward; events of
signals that the table no longer holds are left out.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.errors import StateCorrupt
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.types import WINDOW_DTYPE, LogRow, Record, UserState, Window
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


@dataclass(frozen=True, slots=True)
class MadeRecord:
    """A user's state as the log gives it, made beside the store's own; it can be pickled."""

    user: str
    before: tuple[int, int] | None
    """State version and checksum of the record that was there; None: none that can be read."""
    version: int
    window: bytes
    owned: frozenset[int]
    retired: RetiredSignals


MakeRecords = Callable[[Sequence[Sequence[str]]], Iterator[Sequence[MadeRecord]]]
"""Makes the records of shares of users, in their order; may leave some out."""

_SHARE_USERS = 500
_STAGE = "Rebuilding records"


def made_record(
    snapshot: Snapshot,
    user: str,
    signals: SignalTable,
    window_events: int,
    *,
    readable_rows: bool = False,
) -> MadeRecord | None:
    """Makes a user's record from the log; None for a user without events.

    Args:
        snapshot: holds log, record and items.
        user: the user.
        signals: rewards of the signals.
        window_events: size of the window.
        readable_rows: whether rows that can't be read are left out.

    Raises:
        StateCorrupt: a row of the log can't be read.
    """
    read = read_log if readable_rows else read_whole_log
    rows, before = read(snapshot, user), _fingerprint(snapshot, user)
    if not rows:
        return None
    retired = RetiredSignals()
    made = rebuild_user(snapshot, rows, signals, window_events, retired)
    # Retention may have deleted the row of the highest version, which must not come again.
    version = max(made.record.state_version, 0 if before is None else before[0])
    return MadeRecord(user, before, version, made.record.window.tobytes(), made.owned, retired)


def rebuild_records(
    store: Store,
    signals: SignalTable,
    window_events: int,
    progress: Progress = no_progress,
    retired: RetiredSignals | None = None,
    make: MakeRecords | None = None,
) -> int:
    """Rebuilds every record in place, in short transactions.

    A user whose log can't be read whole stays as it is, or, if the record is corrupt too, is made
    from the rows that can be read.

    Safe beside a running server: each user is read and written in one transaction, and the cache of
    the fold is made anew at the user's next touch. What `make` has made is written where the record
    is still the one that it saw: a record is a function of the log.

    Args:
        store: the server's.
        signals: rewards of the signals.
        window_events: size of the window.
        progress: called as the users go by.
        retired: counts the events that the table has no reward for.
        make: makes records elsewhere, as in other processes; None: they are made here.

    Returns:
        The number of users.
    """
    with store.snapshot() as snapshot:
        users = list(scan_user_ids(snapshot))
    found = RetiredSignals() if retired is None else retired
    ready: dict[str, MadeRecord] = {}

    def rebuild(transaction: Transaction, user: str) -> RetiredSignals | None:
        """The user's events without a reward; None if the record stays as it is."""
        before = _fingerprint(transaction, user)
        made = ready.get(user)
        if made is None or before is None or made.before != before:
            try:
                made = made_record(transaction, user, signals, window_events)
            except StateCorrupt as error:
                if before is not None:
                    log.error(
                        "the log of a user can't be read (%s); its record stays as it is", error
                    )
                    return None
                made = made_record(transaction, user, signals, window_events, readable_rows=True)
        if made is None:  # The user was forgotten after the list was made.
            return None
        window: Window = np.frombuffer(made.window, WINDOW_DTYPE)
        write_user(transaction, user, UserState(Record(made.version, window)))
        if before is None:
            note_lowered(transaction, user, made.version)
        if made.owned or has_owned(transaction, user):
            write_owned(transaction, user, made.owned)
        return made.retired

    def rebuild_all(some: Sequence[str], progress: Progress, stage: str) -> int:
        outcomes = in_short_transactions(store, some, rebuild, progress, stage)
        done = [outcome for outcome in outcomes if outcome is not None]
        for outcome in done:
            found.add(outcome)
        return len(done)

    if make is None:
        return rebuild_all(users, progress, _STAGE)
    shares = [users[at : at + _SHARE_USERS] for at in range(0, len(users), _SHARE_USERS)]
    rebuilt = 0
    for place, (share, made) in enumerate(zip(shares, make(shares), strict=True)):
        progress(_STAGE, place / len(shares))
        ready = {one.user: one for one in made}
        rebuilt += rebuild_all(share, no_progress, "")
    progress(_STAGE, 1.0)
    return rebuilt


def _fingerprint(snapshot: Snapshot, user: str) -> tuple[int, int] | None:
    """State version and checksum of a record; None if there is none that can be read."""
    try:
        state = read_user(snapshot, user)
    except StateCorrupt:
        return None
    if state is None:
        return None
    return state.record.state_version, zlib.crc32(state.record.window.tobytes())
