"""A server's store as a log to replay: its items, and the events that it accepted."""

from __future__ import annotations

from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event, Item
from penchant.logs.reading import LeftOut, make_stream
from penchant.logs.relevance import Relevance
from penchant.logs.stream import Stream
from penchant.store.base import Snapshot
from penchant.store.items import scan_items
from penchant.store.users import read_log, scan_user_ids


def items_and_events(snapshot: Snapshot) -> tuple[list[Item], list[Event]]:
    """The items that can be ranked, as they were put, and all events, as they were accepted.

    Users who were forgotten have left no event. Cost: one scan of the store; all of it is in
    memory afterwards.
    """
    stored = sorted(scan_items(snapshot), key=lambda one: one.number)
    rows = [row for user in scan_user_ids(snapshot) for row in read_log(snapshot, user)]
    rows.sort(key=lambda row: row.accepted_at_us)  # Of one user's, as they were: it is stable.
    return [one.item for one in stored if one.alive], [row.event for row in rows]


def stream_of_store(
    snapshot: Snapshot, signals: SignalTable, relevance: Relevance, left_out: LeftOut
) -> Stream:
    """What a store holds, as `make_stream` makes it; events about deleted items are left out.

    Raises:
        ConfigError: no event is left.
    """
    return make_stream(*items_and_events(snapshot), signals, relevance, left_out)
