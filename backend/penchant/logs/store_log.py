"""Reads a server's store as a log: its items, and the events that it accepted."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event, Item
from penchant.logs.event_log import EventLog
from penchant.logs.joined_log import joined
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import Relevance
from penchant.logs.row_batch import BATCH_ROWS
from penchant.logs.stream import Stream, make_stream
from penchant.store.base import Snapshot
from penchant.store.items import scan_items
from penchant.store.users import read_log, scan_user_ids


def items_and_events(snapshot: Snapshot) -> tuple[list[Item], EventLog]:
    """Returns the items that can be ranked, in the order of their numbers, and all events.

    Events come in the order of their acceptance; those of forgotten users are gone. Cost: one scan
    of the store; the events are in memory afterwards, as columns.
    """
    accepted_at_us = array("q")
    log = joined(_parts(snapshot, accepted_at_us))
    order = np.argsort(np.array(accepted_at_us, np.int64), kind="stable")
    return items_in_order(snapshot), log.take(order)


def items_in_order(snapshot: Snapshot) -> list[Item]:
    """The items that can be ranked, in the order of their numbers."""
    stored = sorted(scan_items(snapshot), key=lambda one: one.number)
    return [one.item for one in stored if one.alive]


def _parts(snapshot: Snapshot, accepted_at_us: array[int]) -> Iterator[EventLog]:
    """Yields the events user by user, in the order of their versions; notes when each came."""
    events: list[Event] = []
    for user in scan_user_ids(snapshot):
        for row in read_log(snapshot, user):
            accepted_at_us.append(row.accepted_at_us)
            events.append(row.event)
        if len(events) >= BATCH_ROWS:
            yield EventLog.of(events)
            events = []
    yield EventLog.of(events)


def stream_of_store(
    snapshot: Snapshot, signals: SignalTable, relevance: Relevance, left_out: LeftOut
) -> Stream:
    """Reads a store as a stream, as `make_stream` does; events about deleted items are left out.

    Raises:
        ConfigError: no event is left.
    """
    return make_stream(*items_and_events(snapshot), signals, relevance, left_out)
