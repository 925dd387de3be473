"""Imports the items or the events of a file: read rows, send a batch, note what was acknowledged.

The caller brings the function that sends a batch to a server. Whatever ends an import early, the
same request continues after the last acknowledged row.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from cyclopts import Parameter

from penchant.domain.types import Event, Item
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.event_rows import read_event_rows
from penchant.logs.found_columns import columns_of
from penchant.logs.import_progress import ImportProgress, RejectedRow
from penchant.logs.item_rows import read_item_rows
from penchant.logs.log_source import EVENT_FIELDS, ITEM_FIELDS, mapped_fields
from penchant.logs.log_span import LogSpan
from penchant.logs.odd_events import OddEvents
from penchant.logs.odd_items import OddItems
from penchant.logs.open_table import open_table
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import RowBatch
from penchant.logs.table_file import TableFile
from penchant.logs.text_source import regular_size
from penchant.logs.told_forms import with_told_forms
from penchant.logs.written_times import epoch_unit
from penchant.system.option_types import FLAT

T = TypeVar("T")

ITEMS_PER_CALL = 256
EVENTS_PER_CALL = 1000

_ROWS_READ = 4096
"""Rows that are read at once."""
_MOST_HELD = 10_000
"""Rejected rows that are held at once, until the call before them is acknowledged."""

_FIRST_SHOWN = 3
"""Rejected rows that a report shows."""

_Map = Annotated[
    tuple[str, ...],
    Parameter(name="--map", metavar="COLUMN=FIELD", show_default=False, negative=()),
]
_Format = Annotated[str | None, Parameter(metavar="NAME", show_default=False)]
_State = Annotated[Path | None, Parameter(show_default=False)]


@dataclass(frozen=True, slots=True)
class ImportItemsRequest:
    """A file of items, and the server to put them to."""

    file: Path
    """File of items: CSV, TSV, JSON lines or Parquet."""
    _: KW_ONLY
    columns: Annotated[ItemColumns, FLAT] = ItemColumns()
    mapped: _Map = ()
    """Take a field (id, text) from this column; repeatable."""
    format: _Format = None
    """Format of the file: csv, tsv, jsonl or parquet; by default, as its content or name says."""
    state: _State = None
    """File that notes the progress; by default FILE.import.json."""


@dataclass(frozen=True, slots=True)
class ImportEventsRequest:
    """A file of events, and the server to send them to."""

    file: Path
    """File of events: CSV, TSV, JSON lines or Parquet."""
    _: KW_ONLY
    columns: Annotated[EventColumns, FLAT] = EventColumns()
    mapped: _Map = ()
    """Take a field of the events from this column; repeatable."""
    format: _Format = None
    """Format of the file: csv, tsv, jsonl or parquet; by default, as its content or name says."""
    state: _State = None
    """File that notes the progress; by default FILE.import.json."""


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A server's answer to one batch."""

    counts: Mapping[str, int]
    """Items or events by result, the refused ones left out."""
    refused: Mapping[int, str] = field(default_factory=dict)
    """Reasons by position in the batch."""


@dataclass(frozen=True, slots=True)
class ImportStage:
    """Progress of an import."""

    row: int
    """The last row that is done; a first stage above 0 continues an earlier import."""
    done: int
    """Amount of the file that is read, 0 to `size`."""
    size: int
    """Bytes, or rows of a Parquet file."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import, earlier runs for the same file included."""

    counts: Mapping[str, int]
    """Rows by result; the rejected ones under `rejected`."""
    rejected_path: Path
    """File of the rejected rows with their reasons; exists only where there are some."""
    first_rejected: Sequence[str] = ()
    """The first rejected rows with their lines and reasons."""
    open_quotes: int = 0
    """Rows that opened a quote and did not close it."""
    changed: Mapping[str, int] = field(default_factory=dict)
    """Rows of this run that were read in a changed form, by what was changed."""
    warnings: Sequence[str] = ()
    """What else a person should know about the file."""
    span: str = ""
    """First and last day of this run's events."""
    assumed: Sequence[str] = ()
    """How times and values were read, where the file is written in an unusual way."""


OnStage = Callable[[ImportStage], None]


def import_items(
    request: ImportItemsRequest,
    target: str,
    send: Callable[[Sequence[Item]], SentBatch],
    on_stage: OnStage = lambda stage: None,
) -> ImportReport:
    """Imports the items of a file; of two rows with one id, the later one stays.

    Args:
        request: the file and its columns.
        target: name of the server; an import goes on only with the same one.
        send: puts at most `ITEMS_PER_CALL` items, no two of them with one id.
        on_stage: called at the beginning and after each batch.

    Raises:
        ConfigError: the file can't be read, or the progress can't be written.
    """
    regular_size(request.file)  # For the plain error where it can't be opened.
    fields = mapped_fields(request.mapped, ITEM_FIELDS)
    columns = dataclasses.replace(request.columns, **fields)
    options = {"kind": "items", "target": target, **dataclasses.asdict(columns)}
    progress = ImportProgress(request.file, options, state=request.state)
    odd = OddItems()
    with open_table(request.file, request.format, recovers=True) as table, progress:
        found = columns_of(table, columns)

        def read(batch: RowBatch) -> tuple[Sequence[Item | None], Refusals]:
            items, refusals = read_item_rows(batch, found)
            odd.add(batch, items)
            return items, refusals

        calls = _Calls(read, send, ITEMS_PER_CALL, lambda item: item.id)
        report = _Import(table, calls, progress, on_stage).run()
    return dataclasses.replace(report, warnings=[*report.warnings, *odd.warnings])


def import_events(
    request: ImportEventsRequest,
    target: str,
    send: Callable[[Sequence[Event]], SentBatch],
    on_stage: OnStage = lambda stage: None,
) -> ImportReport:
    """Imports the events of a file.

    Args:
        request: the file and its columns.
        target: name of the server; an import goes on only with the same one.
        send: sends at most `EVENTS_PER_CALL` events.
        on_stage: called at the beginning and after each batch.

    Raises:
        ConfigError: the file can't be read, or the progress can't be written.
    """
    regular_size(request.file)
    columns = request.columns.with_fields(mapped_fields(request.mapped, EVENT_FIELDS))
    options = {"kind": "events", "target": target, **dataclasses.asdict(columns)}
    options["time_unit"] = epoch_unit(columns.time_unit) or columns.time_unit
    del options["answer"], options["value_form"]  # Which no import sets.
    attributes = list(options.pop("attributes"))  # As JSON reads them back.
    if attributes:
        options["attributes"] = attributes
    progress = ImportProgress(request.file, options, state=request.state)
    span, odd = LogSpan(), OddEvents()
    with open_table(request.file, request.format, recovers=True) as table, progress:
        found, said = with_told_forms(table, columns_of(table, columns))

        def read(batch: RowBatch) -> tuple[Sequence[Event | None], Refusals]:
            log, refusals = read_event_rows(batch, found)
            span.add(log.at_us[~refusals.mask])
            odd.add(log, ~refusals.mask)
            return log, refusals

        calls = _Calls(read, send, EVENTS_PER_CALL)
        report = _Import(table, calls, progress, on_stage).run()
    warnings = [*report.warnings, *span.warnings, *odd.warnings]
    return dataclasses.replace(report, warnings=warnings, span=str(span), assumed=said)


@dataclass(frozen=True, slots=True)
class _Calls(Generic[T]):
    """How rows become things (items, events), and things go to the server."""

    read: Callable[[RowBatch], tuple[Sequence[T | None], Refusals]]
    """Returns the thing of each row, and anything for a refused row."""
    send: Callable[[Sequence[T]], SentBatch]
    size: int
    """Most things in one call."""
    key: Callable[[T], Hashable] | None = None
    """Two things with one key never share a call; None: any may."""


class _Import(Generic[T]):
    """One run of an import."""

    def __init__(
        self, table: TableFile, calls: _Calls[T], progress: ImportProgress, on_stage: OnStage
    ) -> None:
        self._table = table
        self._calls = calls
        self._progress = progress
        self._on_stage = on_stage
        self._row = 0  # The last row that is read.
        self._things: list[T] = []
        self._places: list[tuple[RowBatch, int]] = []
        self._keys: set[Hashable] = set()
        self._rejected: list[RejectedRow] = []
        self._changed: Counter[str] = Counter()

    def run(self) -> ImportReport:
        """Sends all rows behind the progress; if `send` raises, the progress is kept."""
        progress = self._progress
        self._report_stage()
        for batch in self._table.batches(rows=_ROWS_READ):
            if batch.number[-1] > progress.row:
                self._take(batch)
        if self._row:
            self._finish_call()
        progress.finish()
        return ImportReport(
            counts=progress.counts,
            rejected_path=progress.rejected_path,
            first_rejected=progress.first_rejected(_FIRST_SHOWN),
            open_quotes=self._table.open_quotes,
            changed=self._changed,
            warnings=self._table.warnings,
        )

    def _take(self, batch: RowBatch) -> None:
        read, refusals = self._calls.read(batch)
        self._changed += refusals.changed
        things: list[Any] = list(read)
        for position in np.flatnonzero(batch.number > self._progress.row).tolist():
            if position in refusals.reasons:
                if len(self._rejected) == _MOST_HELD:
                    self._finish_call()
                self._rejected.append(_rejected(batch, position, refusals.reasons[position]))
            else:
                self._add(things[position], (batch, position))
            self._row = int(batch.number[position])

    def _add(self, thing: T, place: tuple[RowBatch, int]) -> None:
        key = None if self._calls.key is None else self._calls.key(thing)
        if len(self._things) == self._calls.size or key in self._keys:
            self._finish_call()
        self._things.append(thing)
        self._places.append(place)
        if key is not None:
            self._keys.add(key)

    def _finish_call(self) -> None:
        """Sends what is held, then notes that all rows so far are done."""
        sent = self._calls.send(self._things) if self._things else SentBatch({})
        self._progress.counts.update(sent.counts)
        refused = [_rejected(*self._places[at], reason) for at, reason in sent.refused.items()]
        for row in sorted([*self._rejected, *refused], key=lambda row: row.number):
            self._progress.reject(row)
        self._progress.save(self._row)
        self._things, self._places, self._keys, self._rejected = [], [], set(), []
        self._report_stage()

    def _report_stage(self) -> None:
        self._on_stage(ImportStage(self._progress.row, self._table.done, self._table.size))


def _rejected(batch: RowBatch, position: int, reason: str) -> RejectedRow:
    line = None if batch.line is None else int(batch.line[position])
    return RejectedRow(int(batch.number[position]), line, reason, batch.values(position))
