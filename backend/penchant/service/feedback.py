"""Feedback: validate, look up, insert, fold, commit, ack — one transaction for the whole batch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from penchant.catalog.offsets import ItemBiasTable, OffsetFile
from penchant.catalog.view import CatalogView
from penchant.domain.errors import ErrorKind, EventIdReused, PenchantError, UnknownItem
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import fold_each
from penchant.domain.limits import Limits, check_event
from penchant.domain.offsets import count_outcome
from penchant.domain.rewards import SignalTable, resolve
from penchant.domain.types import (
    Counters,
    Event,
    EventResult,
    EventStatus,
    LogRow,
    Record,
    UserState,
)
from penchant.domain.window import digest64, empty_record, entry, insert
from penchant.service.clock import Clock
from penchant.service.meter import Meter
from penchant.service.reservation_ledger import ReservationLedger
from penchant.service.rollout_watch import RolloutWatch
from penchant.service.user_interest import Catalogs, Offered, fold_key
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import read_counters, scan_counters, write_counters
from penchant.store.items import read_head
from penchant.store.owned import read_owned, write_owned
from penchant.store.users import read_event, read_user, write_event, write_user

FOLDED_TOGETHER = 64
"""Users: more of them save no more time, and take memory."""

_Some = TypeVar("_Some")


@dataclass(slots=True)
class _Batch:
    """What one transaction is going to write."""

    books: ReservationLedger
    records: dict[str, Record] = field(default_factory=dict)
    rows: dict[tuple[str, int], LogRow] = field(default_factory=dict)
    counters: dict[int, Counters] = field(default_factory=dict)
    owned: dict[str, set[int]] = field(default_factory=dict)
    """Items that became their users' own."""


class FeedbackService:
    """Takes events; one process at a time, since it alone writes the live offsets."""

    def __init__(
        self,
        store: Store,
        catalogs: Catalogs,
        signals: SignalTable,
        book: ItemBiasTable,
        limits: Limits,
        clock: Clock,
        meter: Meter,
    ) -> None:
        self._store = store
        self._catalogs = catalogs
        self._signals = signals
        self._limits = limits
        self._clock = clock
        self._meter = meter
        self._book = book
        with store.snapshot() as snapshot:
            book.set(scan_counters(snapshot))
            self._counted_rows = read_head(snapshot).rows
        self._offset_file = OffsetFile(catalogs.directory, book)

    def feedback(self, calls: Sequence[Sequence[Event]]) -> list[list[EventResult]]:
        """The results of each call's events, durable when this returns.

        Raises:
            StoreUnavailable: nothing of the whole batch was taken.
        """
        arrived_us, started = self._clock(), time.perf_counter()
        with self._store.transaction() as transaction:
            offered = self._catalogs.read(transaction)
            view = offered.served
            self._meet_newcomers(transaction, view)
            batch, count = _Batch(ReservationLedger(transaction)), RolloutWatch(offered)
            results = [
                [self._take(transaction, view, batch, count, event, arrived_us) for event in call]
                for call in calls
            ]
            if batch.rows:
                self._write(transaction, offered, batch, arrived_us)
                count.settle(transaction, arrived_us)
            commit_started = time.perf_counter()
        if batch.rows:
            ended = time.perf_counter()
            self._publish_offsets(view, batch)
            self._meter.commit(ended - commit_started, len(batch.rows))
            self._meter.staleness(ended - started)
        return results

    def _take(
        self,
        snapshot: Snapshot,
        view: CatalogView,
        batch: _Batch,
        count: RolloutWatch,
        event: Event,
        arrived_us: int,
    ) -> EventResult:
        """One event into the batch, or the reason why not."""
        try:
            check_event(event, arrived_us, self._limits)
            outcome = resolve(self._signals, event.signal, event.value)
            record = batch.records.get(event.user) or _read_record(snapshot, event.user)
            digest = digest64(event.event_id)
            known = batch.rows.get((event.user, digest)) or read_event(snapshot, event.user, digest)
            if known is not None:
                _require_same(known.event, event)
                status = EventStatus.DUPLICATE
                return EventResult(event.event_id, status, record.state_version)
            number = view.number(event.item)
            if number is None:
                raise UnknownItem(f"item: got {event.item[:64]!r}, which the catalog does not hold")
            counters = batch.counters.get(number) or read_counters(snapshot, number)
            if outcome.wait_s is not None:
                batch.books.confirm(event)
        except PenchantError as error:
            return EventResult(
                event.event_id, EventStatus.REFUSED, 0, error.reason, _public_text(error)
            )
        count.event(event.user, record, number, outcome, arrived_us)
        record = insert(record, [entry(event, number, outcome)], view.settings.window_events)
        batch.records[event.user] = record
        if outcome.owned:
            batch.owned.setdefault(event.user, set()).add(number)
        batch.rows[event.user, digest] = LogRow(event, record.state_version, arrived_us)
        batch.counters[number] = count_outcome(
            counters, outcome, event.occurred_at_us, self._book.half_life_s
        )
        return EventResult(event.event_id, EventStatus.ACCEPTED, record.state_version)

    def _write(
        self, transaction: Transaction, offered: Offered, batch: _Batch, arrived_us: int
    ) -> None:
        for view in (offered.served, offered.candidate):
            mine = [
                (user, record)
                for user, record in batch.records.items()
                if offered.shown_to(user) is view
            ]
            if view is not None:
                self._fold(transaction, view, mine, arrived_us)
        for row in batch.rows.values():
            write_event(transaction, row)
        for number, counters in batch.counters.items():
            write_counters(transaction, number, counters)
        for user, numbers in batch.owned.items():
            write_owned(transaction, user, numbers.union(read_owned(transaction, user).tolist()))
        batch.books.write()

    def _fold(
        self,
        transaction: Transaction,
        view: CatalogView,
        records: Sequence[tuple[str, Record]],
        arrived_us: int,
    ) -> None:
        """Writes records with the interest that their users' next ranking needs."""
        bucket = time_bucket(arrived_us, view.settings)
        for some in _in_chunks(records, FOLDED_TOGETHER):
            started = time.perf_counter()
            windows = [record.window for _, record in some]
            window, lengths = np.concatenate(windows), np.array([len(one) for one in windows])
            items = view.items_of(window)
            # The next ranking is probably where the last event was.
            places = np.stack([one["context"][-1] for one in windows])
            interests = fold_each(view.prior, window, lengths, items, bucket, view.settings, places)
            self._meter.fold(time.perf_counter() - started, len(some))
            for (user, record), interest, place in zip(some, interests, places, strict=True):
                key = fold_key(view, bucket, place)
                write_user(transaction, user, UserState(record, key, interest))

    def _meet_newcomers(self, snapshot: Snapshot, view: CatalogView) -> None:
        """Takes over the counters that new items were credited with when they were put."""
        for number in range(self._counted_rows, view.head.rows):
            self._book.set([(number, read_counters(snapshot, number))])

    def _publish_offsets(self, view: CatalogView, batch: _Batch) -> None:
        self._book.set(batch.counters.items())
        counted = np.fromiter(batch.counters, np.int64, len(batch.counters))
        newcomers = np.arange(self._counted_rows, view.head.rows)
        touched = np.concatenate([counted, newcomers])
        self._offset_file.publish(view.head.generation, view.head.rows, touched)
        self._counted_rows = view.head.rows


def _in_chunks(things: Sequence[_Some], size: int) -> Iterator[Sequence[_Some]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


def _read_record(snapshot: Snapshot, user: str) -> Record:
    state = read_user(snapshot, user)
    return empty_record() if state is None else state.record


def _require_same(known: Event, event: Event) -> None:
    """An event id stands for one event; only the time may differ, which some callers make anew."""
    if dataclasses.replace(event, occurred_at_us=known.occurred_at_us) == known:
        return
    raise EventIdReused(
        f"event_id: got {event.event_id[:64]!r} with other content than the event "
        "that was accepted under it; give each event an id of its own"
    )


def _public_text(error: PenchantError) -> str:
    return "see the server's log" if error.kind is ErrorKind.INTERNAL else str(error)
