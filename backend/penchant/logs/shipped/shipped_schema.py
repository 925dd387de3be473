"""The columns of shipped files: everything that a row of the log holds.

`docs/guides/ship.md` describes them for readers of Parquet; a test holds that page to this schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penchant.domain.types import Event, Exposure, LogRow, Receipt
from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.event_log import EventLog

_TIME = pa.timestamp("us", "UTC")

SCHEMA = pa.schema(
    [
        pa.field("user", pa.string(), nullable=False),
        pa.field("item", pa.string(), nullable=False),
        pa.field("signal", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("occurred_at", _TIME, nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("recommendation_id", pa.string(), nullable=False),
        pa.field("context", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("position", pa.int64()),
        pa.field("propensity", pa.float64()),
        pa.field("propensity_estimated", pa.bool_()),
        pa.field("score", pa.float64()),
        pa.field("state_version", pa.int64(), nullable=False),
        pa.field("accepted_at", _TIME, nullable=False),
        pa.field("receipt_budget", pa.uint64()),
        pa.field("receipt_cost_micros", pa.int64()),
        pa.field("receipt_reserved_at", _TIME),
    ]
)

EVENT_COLUMNS = (
    "user",
    "item",
    "signal",
    "value",
    "occurred_at",
    "event_id",
    "recommendation_id",
    "context",
    "position",
    "propensity",
    "propensity_estimated",
    "score",
    "accepted_at",
)
"""The columns of which events are made; the others are the log's own."""

OUTCOME_COLUMNS = tuple(
    name
    for name in EVENT_COLUMNS
    if name not in ("position", "propensity", "propensity_estimated", "score", "recommendation_id")
)
"""Those of which events without exposures are made."""


def table_of(rows: Sequence[LogRow]) -> pa.Table:
    """Rows of a log as a table.

    >>> row = LogRow(Event("e1", "ann", "tent", "click", None, 5), 1, 6)
    >>> list(rows_of(table_of([row]))) == [row]
    True
    """
    events = [row.event for row in rows]
    shown = [event.exposure for event in events]
    receipts = [row.receipt for row in rows]
    columns: dict[str, Sequence[Any]] = {
        "user": [str(event.user) for event in events],
        "item": [event.item for event in events],
        "signal": [event.signal for event in events],
        "value": [event.value for event in events],
        "occurred_at": [event.occurred_at_us for event in events],
        "event_id": [event.event_id for event in events],
        "recommendation_id": [event.recommendation_id for event in events],
        "context": [list(event.context) for event in events],
        "position": [one and one.position for one in shown],
        "propensity": [one and one.propensity for one in shown],
        "propensity_estimated": [one and one.propensity_estimated for one in shown],
        "score": [one and one.score for one in shown],
        "state_version": [row.state_version for row in rows],
        "accepted_at": [row.accepted_at_us for row in rows],
        "receipt_budget": [one and one.budget for one in receipts],
        "receipt_cost_micros": [one and one.cost_micros for one in receipts],
        "receipt_reserved_at": [one and one.reserved_at_us for one in receipts],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def rows_of(table: pa.Table) -> Iterator[LogRow]:
    """The rows of a table with all columns of the schema: the inverse of `table_of`."""
    for row in _with_plain_times(table).to_pylist():
        shown = None
        if row["position"] is not None:
            shown = Exposure(
                row["position"], row["propensity"], row["propensity_estimated"], row["score"]
            )
        receipt = None
        if row["receipt_budget"] is not None:
            receipt = Receipt(
                row["receipt_budget"], row["receipt_cost_micros"], row["receipt_reserved_at"]
            )
        event = Event(
            row["event_id"],
            row["user"],
            row["item"],
            row["signal"],
            row["value"],
            row["occurred_at"],
            row["recommendation_id"],
            tuple((key, entry) for key, entry in row["context"]),
            shown,
        )
        yield LogRow(event, row["state_version"], row["accepted_at"], receipt)


def _with_plain_times(table: pa.Table) -> pa.Table:
    """The table with times in microseconds: Python's own end with the year 9999."""
    for place, field in enumerate(table.schema):
        if field.type == _TIME:
            table = table.set_column(place, field.name, table[field.name].cast(pa.int64()))
    return table


def day_of_us(at_us: int) -> str:
    """The day of a time, as partitions name it.

    >>> day_of_us(0), day_of_us(86_400_000_000 - 1), day_of_us(-1)
    ('1970-01-01', '1970-01-01', '1969-12-31')
    """
    return str(np.datetime64(at_us // (timedelta(days=1) // timedelta(microseconds=1)), "D"))


def by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The parts of a table by the day of their events, each in the order of time and arrival."""
    if not table.num_rows:
        return
    ordered = table.sort_by(
        [(name, "ascending") for name in ("occurred_at", "accepted_at", "user", "state_version")]
    )
    days = ordered["occurred_at"].cast(pa.int64()).to_numpy() // 86_400_000_000
    starts = np.flatnonzero(np.diff(days, prepend=days[:1] - 1)).tolist()
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        yield str(np.datetime64(int(days[start]), "D")), ordered.slice(start, end - start)


def event_log_of(table: pa.Table, first_number: int = 1) -> EventLog:
    """The events of a table with the columns of events, or of outcomes alone."""
    table = table.combine_chunks()
    names = table.schema.names
    count = table.num_rows
    recommended = None
    if (
        "recommendation_id" in names
        and pc.any(pc.not_equal(table["recommendation_id"], "")).as_py()
    ):
        recommended = _whole(table["recommendation_id"].cast(pa.large_string()))
    value = table["value"]
    return EventLog(
        user=_coded(table["user"]),
        item=_coded(table["item"]),
        signal=_coded(table["signal"]),
        value=pc.fill_null(value, np.nan).to_numpy().astype(np.float64),
        at_us=table["occurred_at"].cast(pa.int64()).to_numpy(),
        number=np.arange(first_number, first_number + count),
        event_id=_whole(table["event_id"].cast(pa.large_string())),
        recommendation_id=recommended,
        context=_contexts(table["context"]),
        exposure=_exposures(table) if "position" in names else None,
    )


def _whole(column: pa.ChunkedArray) -> Any:
    """A column as one array."""
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _coded(column: pa.ChunkedArray) -> CodedTexts:
    found = _whole(column)
    if not pa.types.is_dictionary(found.type):
        found = found.dictionary_encode()
    code = found.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return CodedTexts(found.dictionary.to_pylist(), code)


def _contexts(column: pa.ChunkedArray) -> dict[str, CodedTexts]:
    """The texts of each key of a column of maps; empty: the key is not there."""
    maps = _whole(column)
    lengths = np.diff(maps.offsets.to_numpy())
    if not lengths.sum():
        return {}
    first, last = maps.offsets[0].as_py(), maps.offsets[len(maps)].as_py()
    row = np.repeat(np.arange(len(maps)), lengths)
    keys = maps.keys.slice(first, last - first).dictionary_encode()
    entries = maps.items.slice(first, last - first).dictionary_encode()
    key_code, entry_code = (one.indices.to_numpy(zero_copy_only=False) for one in (keys, entries))
    texts = ["", *entries.dictionary.to_pylist()]
    found = {}
    for place, key in sorted(enumerate(keys.dictionary.to_pylist()), key=lambda pair: pair[1]):
        of_key = key_code == place
        code = np.zeros(len(maps), np.int32)
        code[row[of_key]] = entry_code[of_key] + 1
        found[key] = CodedTexts(texts, code)
    return found


def _exposures(table: pa.Table) -> list[Exposure | None] | None:
    names = ("position", "propensity", "propensity_estimated", "score")
    if table["position"].null_count == table.num_rows:
        return None
    columns: Iterable[Sequence[Any]] = (table[name].to_pylist() for name in names)
    return [None if shown[0] is None else Exposure(*shown) for shown in zip(*columns, strict=True)]
