"""Puts rows of a shipped log back into its store, from which they were trimmed, before a rebuild.

A row comes back as it was shipped, with two exceptions. Its charge stays in the sums of the
campaigns' accounts, to which the trim has added it. And its state version never passes what is
shipped of its user, so that it is not shipped again.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from functools import partial
from operator import itemgetter

from penchant.domain.errors import ConfigError, StateCorrupt, UserForgotten
from penchant.domain.types import LogRow, UserState
from penchant.domain.window import digest64, empty_record
from penchant.logs.shipped.ship_cursors import Cursors
from penchant.logs.shipped.shipped_log import ShippedLog
from penchant.logs.shipped.shipped_schema import SCHEMA, rows_of
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.store.accepted_events import count_accepted
from penchant.store.base import Store, Transaction
from penchant.store.ship_notes import read_shipping
from penchant.store.short_transactions import in_short_transactions
from penchant.store.tombstones import read_tombstone
from penchant.store.users import read_event, read_user, write_event, write_user
from penchant.system.progress import Progress, no_progress


def put_back(store: Store, source: ShippedSource, progress: Progress = no_progress) -> int:
    """Puts back the rows of a shipped log that the store lacks.

    Args:
        store: the one that ships the log; its server may run.
        source: the log, and the range of its events' times.
        progress: called as the days go by.

    Returns:
        The number of rows. A day is in memory at a time.

    Raises:
        ConfigError: the log or a time can't be read, the log is another store's, or users were
            forgotten or merged meanwhile; run it again.
    """
    within = source.within()
    log = ShippedLog.opened_with(source.shipped, store)
    cursors = log.cursors()
    put = 0
    for table in log.tables(SCHEMA.names, within):
        by_user: defaultdict[str, list[LogRow]] = defaultdict(list)
        for row in rows_of(table):
            by_user[row.event.user].append(row)
        work = partial(_put_user, cursors=cursors, next_note=log.next_note)
        users = list(by_user.items())
        stage, user_of = "Putting events back", itemgetter(0)
        put += sum(in_short_transactions(store, users, work, progress, stage, user_of=user_of))
    return put


def _put_user(
    transaction: Transaction,
    user_rows: tuple[str, list[LogRow]],
    cursors: Cursors,
    next_note: int,
) -> int:
    """The number of rows that came back."""
    user, rows = user_rows
    shipping = read_shipping(transaction)
    if shipping is None or shipping.next_note != next_note:
        raise ConfigError(
            "--shipped: users were forgotten, merged or trimmed meanwhile; run the command again, "
            "which goes on"
        )
    missing = [row for row in rows if _may_come_back(transaction, row)]
    if not missing:
        return 0
    for row in missing:
        version = min(row.state_version, cursors.get(user, 0))
        write_event(transaction, dataclasses.replace(row, state_version=version, receipt=None))
    count_accepted(transaction, [user] * len(missing))
    try:
        if read_user(transaction, user) is None:
            write_user(transaction, user, UserState(empty_record()))
    except StateCorrupt:
        pass  # The rebuild makes the record.
    return len(missing)


def _may_come_back(transaction: Transaction, row: LogRow) -> bool:
    user = row.event.user
    try:
        if read_event(transaction, user, digest64(row.event.event_id)) is not None:
            return False
        tombstone = read_tombstone(transaction, user)
        if tombstone is not None:
            tombstone.check(row.event)
    except (StateCorrupt, UserForgotten):
        return False
    return True
