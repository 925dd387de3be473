"""Feedback: look up, insert, fold, commit, acknowledge; one transaction for the whole batch."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

import numpy as np

from penchant.catalog.item_biases import ItemBiasFile, ItemBiasTable
from penchant.catalog.view import CatalogView
from penchant.domain.errors import (
    ErrorKind,
    EventIdReused,
    PenchantError,
    StateCorrupt,
    UnknownItem,
)
from penchant.domain.event_weights import fold_time, time_bucket
from penchant.domain.interest import fold_each
from penchant.domain.limits import AHEAD_US, Limits, check_count, check_event
from penchant.domain.rewards import SignalTable, admit
from penchant.domain.tally import Tally
from penchant.domain.tombstone import Tombstone
from penchant.domain.types import Event, LogRow, Record, UserState
from penchant.domain.window import digest64, empty_record, entry, insert
from penchant.service.batch_quality import BatchQuality
from penchant.service.clock import Clock
from penchant.service.clock_evidence import ClockEvidence
from penchant.service.item_counts import ANY_TIME, recount, tally_of, write_tally
from penchant.service.meter import Meter
from penchant.service.rebuilt_records import rebuild_user
from penchant.service.redated_log import dated_after, redate
from penchant.service.reservation_ledger import ReservationLedger
from penchant.service.rollout_watch import RolloutWatch
from penchant.service.shown_scores import ShownScores
from penchant.service.slices import SliceSize
from penchant.service.user_interest import Catalogs, Offered, fold_key
from penchant.store.accepted_events import add_accepted
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import UNREADABLE, read_counters, scan_counters, take_recounted
from penchant.store.item_contributions import any_contribution
from penchant.store.items import read_head
from penchant.store.newest import read_newest, write_newest
from penchant.store.owned import read_owned, write_owned
from penchant.store.tombstones import any_tombstone, read_tombstone
from penchant.store.users import read_event, read_log, read_user, write_event, write_user
from penchant.system.step_times import step_began, step_ended

log = logging.getLogger("penchant")

FOLDED_TOGETHER = 64
"""Users folded in one go; more would save no time and take more memory."""

_OLD_COUNTERS = (
    "the counters of items were made by an older release, which counted events, not users; "
    "`penchant rebuild counters` makes them again from the log, while the server runs"
)

_AHEAD = "events in the store are ahead of the machine's clock and count as of now"

MOST_CAUSES = 100
"""Causes of refusals that are logged, at most."""

_Element = TypeVar("_Element")


class EventStatus(Enum):
    """The fate of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EventResult:
    """The fate of one event, and the reason for a refusal."""

    event_id: str
    status: EventStatus
    state_version: int
    """The user's version after an accepted event; the current one for a duplicate."""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackRequest:
    """The events of one call."""

    events: tuple[Event | EventResult, ...]
    """In order; `check_feedback` puts refusals in the places of events that break the contract."""


def check_feedback(request: FeedbackRequest, now_us: int, limits: Limits) -> FeedbackRequest:
    """The request with each malformed event replaced by its refusal.

    Raises:
        InvalidRequest: there are no events, or too many.
    """
    check_count("events", request.events, limits.events)
    return FeedbackRequest(tuple([_checked(event, now_us, limits) for event in request.events]))


def _checked(event: Event | EventResult, now_us: int, limits: Limits) -> Event | EventResult:
    if isinstance(event, EventResult):
        return event
    try:
        check_event(event, now_us, limits)
    except PenchantError as error:
        return _refused(event, error)
    return event


def _refused(event: Event, error: PenchantError) -> EventResult:
    message = "see the server's log" if error.kind is ErrorKind.INTERNAL else str(error)
    return EventResult(event.event_id, EventStatus.REFUSED, 0, error.reason, message)


@dataclass(slots=True)
class _Batch:
    """The writes of one transaction."""

    ledger: ReservationLedger
    watch: RolloutWatch
    quality: BatchQuality
    tally: Tally
    newest_us: int
    """Time of the newest event, those of the batch included."""
    records: dict[str, Record] = field(default_factory=dict)
    rows: dict[tuple[str, int], LogRow] = field(default_factory=dict)
    """By user and event digest."""
    owned: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of items that became the user's own, by user."""
    tombstones: dict[str, Tombstone | None] | None = None
    """By user, as they are read; None: nobody was ever forgotten."""


class FeedbackService:
    """Accepts events. One process at a time may run it, since it writes the live offsets."""

    def __init__(
        self,
        store: Store,
        catalogs: Catalogs,
        signals: SignalTable,
        item_biases: ItemBiasTable,
        clock: Clock,
        meter: Meter,
        installed_us: int = 0,
    ) -> None:
        """Reads the counters, and shows rankings the offsets.

        Args:
            store: the server's.
            catalogs: the catalogs.
            signals: rewards of the signals.
            item_biases: an empty table.
            clock: of the server.
            meter: receives the measurements.
            installed_us: when this program was installed, in microseconds since 1970; 0: unknown.
        """
        self._store = store
        self._catalogs = catalogs
        self._signals = signals
        self._evidence = ClockEvidence(store, clock, installed_us)
        self._clock = clock
        self._meter = meter
        self._item_biases = item_biases
        self._said: set[str] = set()
        self._shown_scores = ShownScores()
        with store.snapshot() as snapshot:
            old_release = not any_contribution(snapshot)
            counters = dict(scan_counters(snapshot))
            head = read_head(snapshot)
        self._counted_rows = head.rows
        if counters and old_release:
            log.warning(_OLD_COUNTERS)
        for number in [one for one, found in counters.items() if found is UNREADABLE]:
            with store.transaction() as transaction:
                counters[number] = recount(transaction, number, item_biases.half_life_s)
        item_biases.set(counters.items())
        self._offset_file = ItemBiasFile(catalogs.directory, item_biases)
        self._latest(clock())
        self._offset_file.publish(head.generation, head.rows)  # Whatever a crash left there.
        self._slice_events = SliceSize(first=32, least=16, most=256)

    def in_slices(self, request: FeedbackRequest) -> Generator[None, None, list[EventResult]]:
        """The results of a call of many events, in order; pauses after every few events.

        Each slice is a transaction of its own. An error after the first of them leaves events that
        are accepted; the same call, sent again, finds them as duplicates.

        Raises:
            StoreUnavailable: the events of this slice and of the next ones were not accepted.
        """
        results: list[EventResult] = []
        while (start := len(results)) < len(request.events):
            some = request.events[start : start + int(self._slice_events.units)]
            with self._slice_events.timed(len(some)):
                results += self.feedback([FeedbackRequest(some)])[0]
            yield
        return results

    def feedback(self, requests: Sequence[FeedbackRequest]) -> list[list[EventResult]]:
        """The results of each call's events, durable when this returns.

        Raises:
            StoreUnavailable: no event of the whole batch was accepted.
        """
        arrived_us, started = self._clock(), time.perf_counter()
        latest_us, began_ns = self._latest(arrived_us), step_began()
        with self._store.transaction() as transaction:
            offered = self._catalogs.read(transaction)
            view = offered.served
            self._read_new_items(transaction, view)
            recounted = take_recounted(transaction)
            if recounted:  # They may have been the newest.
                self._item_biases.set(
                    (number, read_counters(transaction, number)) for number in recounted
                )
                self._item_biases.look_for_newest()
            batch = _Batch(
                ReservationLedger(transaction, arrived_us),
                RolloutWatch(offered),
                BatchQuality(offered, self._shown_scores),
                tally_of(transaction, self._item_biases.half_life_s, latest_us),
                min(read_newest(transaction) or self._item_biases.newest_us, latest_us),
                tombstones={} if any_tombstone(transaction) else None,
            )
            results = [
                [
                    self._take(transaction, view, batch, event, arrived_us, latest_us)
                    for event in call.events
                ]
                for call in requests
            ]
            step_ended("read", began_ns)
            if batch.rows:
                self._write(transaction, offered, batch, arrived_us)
            elsewhere = [(number, read_counters(transaction, number)) for number in recounted]
            commit_started, commit_began_ns = time.perf_counter(), step_began()
        step_ended("commit", commit_began_ns)
        self._item_biases.set(elsewhere)
        self._say_refused(results)
        if batch.rows or elsewhere:
            self._publish_offsets(view, batch, whole=bool(elsewhere))
        if batch.rows:
            ended = time.perf_counter()
            self._meter.commit(ended - commit_started, len(batch.rows))
            self._meter.staleness(ended - started)
            batch.quality.tell(self._meter)
        return results

    def _take(
        self,
        transaction: Transaction,
        view: CatalogView,
        batch: _Batch,
        event: Event | EventResult,
        arrived_us: int,
        latest_us: int,
    ) -> EventResult:
        """Adds one event to the batch, or refuses it."""
        if isinstance(event, EventResult):
            return event
        try:
            signal = admit(self._signals, event.signal, event.value)
            if batch.tombstones is not None:
                _require_not_forgotten(transaction, batch.tombstones, event)
            record = batch.records.get(event.user) or _read_record(transaction, batch, event.user)
            if latest_us < ANY_TIME and dated_after(record, latest_us):
                record = self._redate(transaction, event.user, latest_us, arrived_us)
            digest = digest64(event.event_id)
            known = batch.rows.get((event.user, digest)) or read_event(
                transaction, event.user, digest
            )
            if known is not None:
                _require_same(known.event, event)
                status = EventStatus.DUPLICATE
                return EventResult(event.event_id, status, record.state_version)
            number = view.number(event.item)
            if number is None:
                raise UnknownItem(f"item: got {event.item[:64]!r}, which the catalog does not hold")
            waits = signal.wait_s is not None
            confirmation = batch.ledger.confirmation(event) if waits else None
            batch.tally.count(event.user, number, signal, event.occurred_at_us)
        except PenchantError as error:
            return _refused(event, error)
        batch.newest_us = max(batch.newest_us, event.occurred_at_us)
        fold_us = fold_time(arrived_us, batch.newest_us)
        batch.watch.event(event.user, record, number, signal, fold_us)
        batch.quality.event(event, signal)
        record = insert(record, [entry(event, number, signal)], view.settings.window_events)
        batch.records[event.user] = record
        if signal.owned:
            batch.owned.setdefault(event.user, set()).add(number)
        receipt = batch.ledger.confirm(confirmation) if confirmation else None
        batch.rows[event.user, digest] = LogRow(event, record.state_version, arrived_us, receipt)
        return EventResult(event.event_id, EventStatus.ACCEPTED, record.state_version)

    def _latest(self, now_us: int) -> int:
        """The latest time that an event in the store may have; later ones count as of it.

        Where it is the clock that is behind (`ClockEvidence`), times in the store stay as they are.
        """
        limit_us = now_us + AHEAD_US
        self._item_biases.limit(limit_us)
        if self._item_biases.newest_us <= limit_us:
            self._evidence.settled()
            return ANY_TIME
        behind = self._evidence.clock_is_behind(limit_us, self._item_biases)
        cause = "the machine's clock is behind the events in the store" if behind else _AHEAD
        if cause not in self._said:
            self._said.add(cause)
            self._meter.clock_doubt("store_ahead")
            ahead_s = (self._item_biases.newest_us - now_us) / 1e6
            log.error("%s: the newest is %.0f s ahead of it; set the clock right", cause, ahead_s)
        return ANY_TIME if behind else limit_us

    def _redate(self, transaction: Transaction, user: str, latest_us: int, now_us: int) -> Record:
        capacity = self._catalogs.read(transaction).served.settings.window_events
        record = redate(transaction, user, latest_us, now_us, self._signals, capacity)
        self._meter.clock_doubt("redated")
        return record

    def _say_refused(self, results: Sequence[Sequence[EventResult]]) -> None:
        """Counts refused events, and logs the first of each cause: callers may not look."""
        for result in itertools.chain.from_iterable(results):
            if result.status is EventStatus.REFUSED:
                self._meter.refused(result.reason, 1)
                cause = f"{result.reason} {result.message.partition(':')[0]}"
                if cause not in self._said and len(self._said) < MOST_CAUSES:
                    self._said.add(cause)
                    log.warning(
                        "events are refused, and this is the first for its cause; the metric "
                        "penchant_refused_events_total counts them: [%s] %s",
                        result.reason,
                        result.message,
                    )

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
                fold_us = fold_time(arrived_us, batch.newest_us)
                self._fold(transaction, view, batch, mine, fold_us)
        if batch.newest_us != read_newest(transaction):
            write_newest(transaction, batch.newest_us)
        for row in batch.rows.values():
            write_event(transaction, row)
        add_accepted(transaction, len(batch.rows))
        write_tally(transaction, batch.tally)
        for user, numbers in batch.owned.items():
            write_owned(transaction, user, numbers | self._owned(transaction, user))
        batch.ledger.write()
        batch.watch.settle(transaction, arrived_us)

    def _owned(self, transaction: Transaction, user: str) -> set[int]:
        """Numbers of the user's own items; made again from the log where they can't be read."""
        try:
            return set(read_owned(transaction, user).tolist())
        except StateCorrupt as error:
            log.error("%s; it is made so now, since the user has a new one", error)
            return set(
                rebuild_user(transaction, read_log(transaction, user), self._signals, 1).owned
            )

    def _fold(
        self,
        transaction: Transaction,
        view: CatalogView,
        batch: _Batch,
        records: Sequence[tuple[str, Record]],
        fold_us: int,
    ) -> None:
        """Writes records with the interests that their users' next rankings need."""
        bucket = time_bucket(fold_us, view.settings)
        for some in _in_chunks(records, FOLDED_TOGETHER):
            started, began_ns = time.perf_counter(), step_began()
            windows = [record.window for _, record in some]
            window, lengths = np.concatenate(windows), np.array([len(one) for one in windows])
            items = view.items_of(window)
            # The next ranking is probably made in the context of the last event.
            contexts = np.stack([one["context"][-1] for one in windows])
            interests = fold_each(
                view.prior, window, lengths, items, bucket, view.settings, contexts
            )
            self._meter.fold(time.perf_counter() - started, len(some))
            step_ended("fold", began_ns)
            for (user, record), interest, context in zip(some, interests, contexts, strict=True):
                key = fold_key(view, bucket, context)
                batch.quality.folded(user, key, interest)
                write_user(transaction, user, UserState(record, key, interest))

    def _read_new_items(self, snapshot: Snapshot, view: CatalogView) -> None:
        """Reads the counters that new items were given when they were put."""
        for number in range(self._counted_rows, view.head.rows):
            self._item_biases.set([(number, read_counters(snapshot, number))])

    def _publish_offsets(self, view: CatalogView, batch: _Batch, *, whole: bool) -> None:
        self._item_biases.set(batch.tally.counters.items())
        counted = np.fromiter(batch.tally.counters, np.int64, len(batch.tally.counters))
        new_items = np.arange(self._counted_rows, view.head.rows)
        touched = None if whole else np.concatenate([counted, new_items])
        self._offset_file.publish(view.head.generation, view.head.rows, touched)
        self._counted_rows = view.head.rows


def _in_chunks(elements: Sequence[_Element], size: int) -> Iterator[Sequence[_Element]]:
    for start in range(0, len(elements), size):
        yield elements[start : start + size]


def _read_record(snapshot: Snapshot, batch: _Batch, user: str) -> Record:
    state = read_user(snapshot, user)
    if state is None:
        return empty_record()
    batch.quality.read(user, state)
    return state.record


def _require_not_forgotten(
    snapshot: Snapshot, read: dict[str, Tombstone | None], event: Event
) -> None:
    if event.user not in read:
        read[event.user] = read_tombstone(snapshot, event.user)
    tombstone = read[event.user]
    if tombstone is not None:
        tombstone.check(event)


def _require_same(known: Event, event: Event) -> None:
    """An event id stands for one event; only the time may differ, since some callers renew it."""
    if dataclasses.replace(event, occurred_at_us=known.occurred_at_us) == known:
        return
    raise EventIdReused(
        f"event_id: got {event.event_id[:64]!r} with other content than the event "
        "that was accepted under it; give each event an id of its own"
    )
