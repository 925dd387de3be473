"""Reads a server's store as a log: its items, and the events that it accepted."""

from __future__ import annotations

from penchant.domain.rewards import SignalTable
from penchant.domain.types import Item
from penchant.logs.event_log import EventLog
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import Relevance
from penchant.logs.stream import Stream, make_stream
from penchant.store.base import Snapshot
from penchant.store.items import scan_items
from penchant.store.users import read_log, scan_user_ids


def items_and_events(snapshot: Snapshot) -> tuple[list[Item], EventLog]:
    """Returns the items that can be ranked, in the order of their numbers, and all events.

    Events come in the order of their acceptance; those of forgotten users are gone. Cost: one scan
    of the store; all of it is in memory afterwards.
    """
    stored = sorted(scan_items(snapshot), key=lambda one: one.number)
    rows = [row for user in scan_user_ids(snapshot) for row in read_log(snapshot, user)]
    rows.sort(key=lambda row: row.accepted_at_us)  # Stable: one user's events keep their order.
    return [one.item for one in stored if one.alive], EventLog.of(row.event for row in rows)


def stream_of_store(
    snapshot: Snapshot, signals: SignalTable, relevance: Relevance, left_out: LeftOut
) -> Stream:
    """Reads a store as a stream, as `make_stream` does; events about deleted items are left out.

    Raises:
        ConfigError: no event is left.
    """
    return make_stream(*items_and_events(snapshot), signals, relevance, left_out)
