"""Reads a shipped log: its events in time order, day by day, with what its store has not shipped.

One day is in memory at a time beside what has been read. Only the wanted columns and days are read.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from penchant.domain.errors import ConfigError
from penchant.logs.event_log import EventLog
from penchant.logs.joined_log import joined
from penchant.logs.shipped.pending_changes import read_pending, unanswered
from penchant.logs.shipped.pending_rows import PendingRows, pending_rows
from penchant.logs.shipped.recount import (
    is_in_step,
    lost_marks,
    shipped_rows_by_content,
)
from penchant.logs.shipped.ship_cursors import Cursors, lower, read_cursors
from penchant.logs.shipped.shipped_marks import MarksByName
from penchant.logs.shipped.shipped_place import ShippedPlace, open_place, read_columns
from penchant.logs.shipped.shipped_schema import (
    EVENT_COLUMNS,
    OUTCOME_COLUMNS,
    SCHEMA,
    by_day,
    event_log_of,
)
from penchant.logs.shipped.shipped_state import ShippedFile, ShippedState, read_state
from penchant.store.base import Snapshot, Store
from penchant.store.ship_notes import ShipNote, ShippingState, read_shipping
from penchant.system.redacted_address import redacted

_ORDER = [(name, "ascending") for name in ("occurred_at", "accepted_at", "user", "state_version")]
"""As a store's own log is read."""
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Times of events, in microseconds since 1970."""

    since_us: int | None = None
    """First moment; None: from the beginning."""
    until_us: int | None = None
    """First moment after the range; None: to the end."""

    def meets(self, first_us: int, last_us: int) -> bool:
        """Whether any time of a span may lie in the range."""
        return (self.since_us is None or last_us >= self.since_us) and (
            self.until_us is None or first_us < self.until_us
        )

    def filtered(self, table: pa.Table) -> pa.Table:
        """The rows of a table in the range."""
        times = table["occurred_at"].cast(pa.int64())
        if self.since_us is not None:
            table = table.filter(pc.greater_equal(times, self.since_us))
            times = table["occurred_at"].cast(pa.int64())
        if self.until_us is not None:
            table = table.filter(pc.less(times, self.until_us))
        return table


@dataclass(frozen=True, slots=True)
class ShippedLog:
    """A shipped log as of a commit, and what its store has not shipped."""

    place: ShippedPlace
    state: ShippedState
    tail: pa.Table
    """Rows of the store that no file holds, with all columns."""
    marks: MarksByName
    next_note: int = 0
    """Position of the first note of the store that was begun after the log was opened."""
    lowered: tuple[tuple[str, int], ...] = ()
    """Names of users whose versions have begun again since, and from where."""
    recounted: bool = False
    """Whether rows were told from shipped ones by their content."""

    @classmethod
    def opened(cls, url: str) -> ShippedLog:
        """Opens a log without its store.

        Raises:
            ConfigError: there is none, or it can't be read.
        """
        place = open_place(url, "shipped log")
        state = read_state(place)
        if not state.sequence:
            raise ConfigError(
                f"shipped log: there is none in {redacted(url)}; `penchant ship --to` makes one"
            )
        return cls(place, state, SCHEMA.empty_table(), MarksByName(state.marks))

    @classmethod
    def opened_with(cls, url: str, store: Store) -> ShippedLog:
        """Opens a log, with what its store has not shipped.

        Raises:
            ConfigError: there is none, it can't be read, or it is another store's.
        """
        for _ in range(_ATTEMPTS):
            (log, shipping), pending = read_pending(store, partial(cls._opened_at, url))
            if log is not None and not (store.shared and _has_gone_on(store, shipping)):
                return dataclasses.replace(log, tail=pending.table)
        raise ConfigError(
            f"shipped log: the commits in {redacted(url)} are not those that its store knows; was "
            "a backup of the store restored? `penchant ship` brings both together"
        )

    @classmethod
    def _opened_at(
        cls, url: str, snapshot: Snapshot, notes: Sequence[ShipNote]
    ) -> tuple[tuple[ShippedLog | None, ShippingState], PendingRows]:
        """As `opened_with`, with the store's own row; no log if it has gone on since."""
        log = cls.opened(url)
        shipping, state = read_shipping(snapshot), log.state
        if shipping is None or shipping.place != state.place:
            raise ConfigError(
                f"shipped log: the one in {redacted(url)} is not this store's; name the --store "
                "that it was shipped from, or none"
            )
        if not is_in_step(state, shipping):
            return (None, shipping), PendingRows()
        notes = unanswered(state, notes)
        recounted = state.recounting or shipping.losses != state.losses
        if recounted:
            lost = lost_marks(snapshot, state, shipping, notes)
            is_shipped = shipped_rows_by_content(log.place, state, notes, lost)
            pending = pending_rows(snapshot, {}, notes, is_shipped=is_shipped)
            pending.marks += lost
        else:
            pending = pending_rows(snapshot, read_cursors(log.place, state), notes)
        new = [dataclasses.replace(mark, sequence=state.sequence + 1) for mark in pending.marks]
        marks, lowered = MarksByName([*state.marks, *new]), tuple(pending.lowered)
        next_note = shipping.next_note
        log = cls(log.place, state, pending.table, marks, next_note, lowered, recounted)
        return (log, shipping), pending

    def cursors(self) -> Cursors:
        """State versions up to which each user's log is shipped; empty if they are not known."""
        cursors = {} if self.recounted else read_cursors(self.place, self.state)
        lower(cursors, self.lowered)
        return cursors

    def tables(
        self, columns: Sequence[str] = EVENT_COLUMNS, within: TimeRange = TimeRange()
    ) -> Iterator[pa.Table]:
        """The rows that count, a table a day, each and all in the order of time, then arrival.

        Args:
            columns: names of `SCHEMA`.
            within: range of the events' times.

        Raises:
            ConfigError: a file has gone or is damaged.
        """
        files: defaultdict[str, list[ShippedFile]] = defaultdict(list)
        for file in self.state.files.values():
            if within.meets(file.first_us, file.last_us):
                files[file.name.partition("/")[0].removeprefix("date=")].append(file)
        tails = dict(by_day(self.tail)) if self.tail.num_rows else {}
        for day in sorted(files.keys() | tails.keys()):
            parts = [self._read(file, columns) for file in files[day]]
            if day in tails:
                parts.append(tails[day].select(_with_needed(columns)))
            table = within.filtered(pa.concat_tables(parts)).sort_by(_ORDER).select(list(columns))
            if table.num_rows:
                yield table

    def _read(self, file: ShippedFile, columns: Sequence[str]) -> pa.Table:
        try:
            table = read_columns(self.place, file.name, _with_needed(columns))
        except FileNotFoundError as error:
            raise ConfigError(
                f"shipped log: {file.name} has gone: the log was rewritten while it was read; run "
                "the command again"
            ) from error
        except (pa.ArrowException, OSError, ValueError) as error:
            why = " ".join(str(error).split())[:300]
            raise ConfigError(f"shipped log: {file.name} is damaged: {why}") from error
        return self.marks.applied(table, file.sequence)

    def events(self, within: TimeRange = TimeRange(), *, exposures: bool = True) -> EventLog:
        """The events that count, in time order.

        Args:
            within: range of the events' times.
            exposures: whether to read how items were shown.
        """
        columns = EVENT_COLUMNS if exposures else OUTCOME_COLUMNS
        return joined(self._parts(columns, within))

    def _parts(self, columns: Sequence[str], within: TimeRange) -> Iterator[EventLog]:
        number = 1
        for table in self.tables(columns, within):
            yield event_log_of(table, number)
            number += table.num_rows


def _has_gone_on(store: Store, shipping: ShippingState) -> bool:
    """Whether a commit was made since the store's row was read, so that notes may be gone."""
    with store.snapshot() as snapshot:
        now = read_shipping(snapshot)
    return now is None or now.done != shipping.done


def _with_needed(columns: Sequence[str]) -> list[str]:
    """The columns, and those that marks and order need; in the schema's order."""
    needed = {*columns, "user", "event_id", "occurred_at", "accepted_at", "state_version"}
    return [name for name in SCHEMA.names if name in needed]
