"""A log in a file as a refresh takes it: read in batches, kept as four numbers an event.

What is left out is what a server would refuse, or has already: see `LeftOut`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError, InvalidEvent
from penchant.domain.rewards import SignalTable, admit
from penchant.domain.types import Event
from penchant.logs.events import EventColumns
from penchant.logs.log_columns import LogColumns
from penchant.logs.reading import LeftOut, fitted
from penchant.logs.record_batches import (
    Batch,
    of_events,
    read_batch,
    wanted_columns,
)
from penchant.logs.tables.cells import BadRow
from penchant.logs.tables.files import ParquetTable, Row, Table, open_table

BATCH_ROWS = 1 << 18
"""Rows of a Parquet file that are in memory at once."""

_LINES = 1 << 14
_UNKNOWN = -1
_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Times this, numbers in turn are far apart, and no two the same."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of events, and where their fields are."""

    path: Path
    format: str | None
    """csv, tsv, jsonl or parquet; None: by the file's name."""
    columns: EventColumns

    def read(self, items: Mapping[str, int], signals: SignalTable, left_out: LeftOut) -> LogColumns:
        """The events about known items, impressions aside; of two with one id, the first.

        Args:
            items: rows of the text vectors by the item's id.
            signals: as the server has them.
            left_out: told what is not among the events.

        Raises:
            ConfigError: the file can't be read, or no event of it can be used.

        Cost: about a hundred bytes an event, and those of the users' names.
        """
        table = open_table(self.path, self.format)
        reading = _Reading(items, signals, left_out)
        try:
            for batch in _batches(table, self.columns, left_out):
                reading.take(batch)
        finally:
            table.close()
        return reading.events()


def _batches(table: Table, columns: EventColumns, left_out: LeftOut) -> Iterator[Batch]:
    if not isinstance(table, ParquetTable):
        yield from _by_rows(table.rows(), columns, left_out)
        return
    found, before = fitted(columns, table.columns), 0
    for record_batch in table.batches(wanted_columns(found), BATCH_ROWS):
        batch = read_batch(record_batch, found)
        if batch is not None:
            yield batch
        else:
            cells = enumerate(record_batch.to_pylist(), start=before + 1)
            rows = (Row(number, values) for number, values in cells)
            yield from _by_rows(rows, found, left_out)
        before += record_batch.num_rows


def _by_rows(rows: Iterator[Row], columns: EventColumns, left_out: LeftOut) -> Iterator[Batch]:
    read: Callable[[Row], Event] | None = None
    while chunk := list(islice(rows, _LINES)):
        events = []
        for row in chunk:
            if read is None and not row.fault:
                read = fitted(columns, row.values.keys()).read
            try:
                if read is None:
                    raise BadRow(row.fault)
                events.append(read(row))
            except BadRow as error:
                left_out.add("unreadable rows of events", f"row {row.number}: {error}")
        yield of_events(events)


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    items: Mapping[str, int]
    signals: SignalTable
    left_out: LeftOut
    users: dict[str, int] = field(default_factory=dict)
    """Numbers by the user's name."""
    parts: list[LogColumns] = field(default_factory=list)
    digests: list[NDArray[np.uint64]] = field(default_factory=list)
    """Of the user and the event's id, by part."""
    count: int = 0

    def take(self, batch: Batch) -> None:
        """Keeps the events of a batch that can be used."""
        rows = np.array([self.items.get(id_, _UNKNOWN) for id_ in batch.item.distinct], np.int64)
        item = rows[batch.item.code]
        known = item != _UNKNOWN
        if not known.all():
            first = batch.item.distinct[int(batch.item.code[int(known.argmin())])]
            count = int(np.count_nonzero(~known))
            self.left_out.add("events about unknown items", f"item {first[:64]!r}", count)
        rewards = _rewards(batch, known, self.signals, self.left_out)
        kept = np.flatnonzero(~np.isnan(rewards))
        numbers = [self.users.setdefault(user, len(self.users)) for user in batch.user.distinct]
        user = np.array(numbers, np.int64)[batch.user.code[kept]]
        self.parts.append(LogColumns(user, item[kept], rewards[kept], batch.at_us[kept]))
        self.digests.append(self._digest(batch)[kept] + user.astype(np.uint64) * _ODD)
        self.count += len(item)

    def _digest(self, batch: Batch) -> NDArray[np.uint64]:
        """Of the events' ids, or of their rows where they have none, shape (n,)."""
        if batch.event_id is None:
            row = np.arange(self.count, self.count + len(batch.at_us), dtype=np.uint64)
            return (row + np.uint64(1)) * _ODD * _ODD
        distinct = batch.event_id.distinct
        hashes = np.fromiter(map(hash, distinct), np.int64, len(distinct))
        return hashes.view(np.uint64)[batch.event_id.code]

    def events(self) -> LogColumns:
        """All that was kept."""
        digest = np.concatenate(self.digests) if self.digests else np.empty(0, np.uint64)
        if not len(digest):
            why = next(iter(self.left_out.first.values()), "it holds none but impressions")
            raise ConfigError(f"events: none of the file can be learnt from; {why}")
        first = np.sort(np.unique(digest, return_index=True)[1])
        if len(first) < len(digest):
            what = f"{len(digest) - len(first)} of them"
            self.left_out.add("events known already", what, len(digest) - len(first))
        return LogColumns(
            user=np.concatenate([part.user for part in self.parts])[first],
            item=np.concatenate([part.item for part in self.parts])[first],
            reward=np.concatenate([part.reward for part in self.parts])[first],
            at_us=np.concatenate([part.at_us for part in self.parts])[first],
        )


def _rewards(
    batch: Batch, known: NDArray[np.bool_], signals: SignalTable, left_out: LeftOut
) -> NDArray[np.float64]:
    """What each event is worth, shape (n,); NaN for impressions, and what is left out."""
    rewards = np.full(len(known), np.nan)
    places = np.flatnonzero(known)
    values, value = np.unique(batch.value[places], return_inverse=True)
    pairs, pair = np.unique(
        batch.signal.code[places] * max(1, len(values)) + value, return_inverse=True
    )
    worth, counts = np.full(len(pairs), np.nan), np.bincount(pair)
    for place, code in enumerate(pairs.tolist()):
        signal, number = divmod(code, len(values))
        given = None if np.isnan(values[number]) else float(values[number])
        try:
            outcome = admit(signals, batch.signal.distinct[signal], given)
        except InvalidEvent as error:
            left_out.add("events refused", str(error), int(counts[place]))
            continue
        if outcome.wait_s is None:
            worth[place] = outcome.reward
    rewards[places] = worth[pair]
    return rewards
