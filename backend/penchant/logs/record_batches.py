"""Batches of events by column: what names repeat is looked at once, not once an event.

`read_batch` reads what `EventColumns.read` would, as a test holds, and leaves to it every batch
with a cell that needs a closer look: missing, a number or a time as text, a decimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import Event, Rows
from penchant.logs.events import EventColumns
from penchant.logs.tables.cells import UNITS_US, text_of

if TYPE_CHECKING:
    import pyarrow

_FARTHEST_US = float(1 << 62)


@dataclass(frozen=True, slots=True)
class Names:
    """Texts of n events, each distinct one once."""

    distinct: Sequence[str]
    code: Rows
    """Places in `distinct`, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """n events by column."""

    user: Names
    item: Names
    signal: Names
    value: NDArray[np.float64]
    """NaN where there is none, shape (n,)."""
    at_us: Rows
    """Shape (n,)."""
    event_id: Names | None
    """None: every event has one of its own."""


def wanted_columns(columns: EventColumns) -> set[str]:
    """Columns that a refresh reads; that of the signal may be absent, since it may be constant."""
    return {
        columns.user,
        columns.item,
        columns.signal,
        columns.value,
        columns.occurred_at,
        columns.event_id,
    }


def of_events(events: Sequence[Event]) -> Batch:
    """The same of single events."""
    values = (np.nan if event.value is None else event.value for event in events)
    return Batch(
        user=_numbered([event.user for event in events]),
        item=_numbered([event.item for event in events]),
        signal=_numbered([event.signal for event in events]),
        value=np.fromiter(values, np.float64, len(events)),
        at_us=np.array([event.occurred_at_us for event in events], np.int64),
        event_id=_numbered([event.event_id for event in events]),
    )


def read_batch(batch: pyarrow.RecordBatch, columns: EventColumns) -> Batch | None:
    """The events of a batch; None where a cell needs the reader of rows.

    Cost: a hash of each cell, and one Python object for each distinct name.
    """
    cells: dict[str, Any] = dict(zip(batch.schema.names, batch.columns, strict=True))
    user, item = _names(cells.get(columns.user)), _names(cells.get(columns.item))
    at_us = _times_us(cells.get(columns.occurred_at), columns.time_unit)
    value = _values(cells.get(columns.value), batch.num_rows)
    if columns.constant_signal:
        every = np.zeros(batch.num_rows, np.int64)
        signal: Names | None = Names([columns.constant_signal], every)
    else:
        signal = _names(cells.get(columns.signal))
    event_id = _names(cells.get(columns.event_id))
    if user is None or item is None or signal is None or at_us is None or value is None:
        return None
    if event_id is None and columns.event_id in cells:
        return None
    return Batch(user, item, signal, value, at_us, event_id)


def _numbered(texts: Sequence[str]) -> Names:
    places: dict[str, int] = {}
    code = [places.setdefault(text, len(places)) for text in texts]
    return Names(list(places), np.array(code, np.int64))


def _names(cells: Any) -> Names | None:
    import pyarrow.types as types  # Only here and below: loaded with the first Parquet file.

    if cells is None or cells.null_count:
        return None
    if not types.is_dictionary(cells.type):
        if not (_is_text(cells.type) or types.is_integer(cells.type)):
            return None
        cells = cells.dictionary_encode()
    distinct = [text_of(cell).strip() for cell in cells.dictionary.to_pylist()]
    if not all(distinct):
        return None
    return Names(distinct, cells.indices.to_numpy(zero_copy_only=False).astype(np.int64))


def _is_text(type_: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(type_) or types.is_large_string(type_))


def _values(cells: Any, count: int) -> NDArray[np.float64] | None:
    import pyarrow.types as types

    if cells is None or types.is_null(cells.type):
        return np.full(count, np.nan)
    if not (types.is_integer(cells.type) or types.is_floating(cells.type)):
        return None
    values: NDArray[np.float64] = cells.to_numpy(zero_copy_only=False).astype(np.float64)
    return None if np.isinf(values).any() else values


def _times_us(cells: Any, unit: str) -> Rows | None:
    import pyarrow
    import pyarrow.types as types

    if cells is None or cells.null_count:
        return None
    if types.is_timestamp(cells.type):
        in_us = cells.cast(pyarrow.timestamp("us", cells.type.tz), safe=False)
        at: Rows = in_us.cast(pyarrow.int64()).to_numpy()
        return at
    if not (types.is_integer(cells.type) or types.is_floating(cells.type)):
        return None
    numbers: NDArray[Any] = cells.to_numpy(zero_copy_only=False)
    scaled = numbers.astype(np.float64) * UNITS_US[unit]
    if not (np.abs(scaled) < _FARTHEST_US).all():  # NaN too.
        return None
    if types.is_integer(cells.type) and unit != "ns":
        whole: Rows = numbers.astype(np.int64) * int(UNITS_US[unit])
        return whole
    rounded: Rows = np.rint(scaled).astype(np.int64)
    return rounded
