"""Reads the items or the events of one file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.domain.types import Item
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.event_log import EventLog
from penchant.logs.event_rows import read_event_rows
from penchant.logs.found_columns import columns_of
from penchant.logs.item_rows import read_item_rows
from penchant.logs.joined_log import joined
from penchant.logs.log_span import LogSpan
from penchant.logs.odd_events import OddEvents
from penchant.logs.odd_items import OddItems
from penchant.logs.refusals import UNREADABLE_EVENTS, UNREADABLE_ITEMS, LeftOut
from penchant.logs.table_file import TableFile
from penchant.logs.told_forms import with_told_forms


def read_items(table: TableFile, columns: ItemColumns, left_out: LeftOut) -> list[Item]:
    """Reads the items of a table; of two items with one id, the later replaces the earlier.

    Args:
        table: the open file.
        columns: the columns of the items' fields; see `ItemColumns.found_in`.
        left_out: counts the rows that are refused.

    Raises:
        ConfigError: no row can be read, or the file lacks a column.
    """
    found = columns_of(table, columns)
    items: dict[str, Item] = {}
    odd = OddItems()
    for batch in table.batches():
        read, refusals = read_item_rows(batch, found)
        left_out.rows["items"] += len(batch)
        left_out.add_rows(UNREADABLE_ITEMS, batch, refusals)
        odd.add(batch, read)
        items.update((item.id, item) for item in read if item is not None)
    left_out.warnings += [*table.warnings, *odd.warnings]
    if not items:
        raise ConfigError(f"items: no row can be read; {left_out.first_case}")
    return list(items.values())


def read_events(table: TableFile, columns: EventColumns, left_out: LeftOut) -> EventLog:
    """Reads the events of a table, in its order.

    Args:
        table: the open file.
        columns: the columns of the events' fields; see `EventColumns.found_in`.
        left_out: counts the rows that are refused.

    Raises:
        ConfigError: no row can be read, or the file lacks a column.
    """
    odd = OddEvents()
    log = joined(_parts(table, columns, left_out, odd))
    left_out.warnings += table.warnings
    if not len(log):
        raise ConfigError(f"events: no row can be read; {left_out.first_case}")
    span = LogSpan()
    span.add(log.at_us)
    left_out.warnings += [*span.warnings, *odd.repeats]
    left_out.odd_scale = odd.scale
    return log


def _parts(
    table: TableFile, columns: EventColumns, left_out: LeftOut, odd: OddEvents
) -> Iterator[EventLog]:
    found, said = with_told_forms(table, columns_of(table, columns))
    left_out.assumed += said
    for batch in table.batches(found.reads):
        log, refusals = read_event_rows(batch, found)
        left_out.rows["events"] += len(batch)
        left_out.add_rows(UNREADABLE_EVENTS, batch, refusals)
        odd.add(log, ~refusals.mask)
        yield log.take(np.flatnonzero(~refusals.mask)) if refusals.reasons else log
