"""The events of one transaction: taken one by one, then written together."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from penchant.catalog.view import CatalogView
from penchant.domain.errors import (
    EventIdReused,
    PenchantError,
    StateCorrupt,
    StoreUnavailable,
    UnknownItem,
)
from penchant.domain.event_weights import fold_time, time_bucket
from penchant.domain.rewards import SignalTable, admit
from penchant.domain.tombstone import Tombstone
from penchant.domain.types import Event, LogRow, Record
from penchant.domain.window import digest64, entry
from penchant.service.batch_quality import BatchQuality
from penchant.service.compiled_folds import compiled_folds
from penchant.service.event_results import EventResult, EventStatus, refused
from penchant.service.item_counts import ANY_TIME, tally_of, write_tally
from penchant.service.meter import Meter
from penchant.service.rebuilt_records import rebuild_user
from penchant.service.record_draft import RecordDraft
from penchant.service.redated_log import dated_after, redate
from penchant.service.reservation_ledger import ReservationLedger
from penchant.service.rollout_watch import RolloutWatch
from penchant.service.shown_scores import ShownScores
from penchant.service.user_interest import READ_BY_ALL, Offered, folded_states
from penchant.store.accepted_events import count_accepted
from penchant.store.base import Transaction
from penchant.store.keys import Kind, encode
from penchant.store.newest import note_newest, read_newest
from penchant.store.owned import read_owned, write_owned
from penchant.store.tombstones import any_tombstone, read_tombstone
from penchant.store.users import (
    read_encoded_user,
    read_event,
    read_log,
    sound_state,
    write_encoded_user,
    write_event,
    write_user,
)
from penchant.system.step_times import step_began, step_ended

log = logging.getLogger("penchant")

FOLDED_TOGETHER = 64
"""Users folded in one go; more would save no time and take more memory."""

_Element = TypeVar("_Element")


@dataclass(frozen=True, slots=True)
class BatchTerms:
    """What holds for all events of a batch."""

    signals: SignalTable
    half_life_s: float
    """Seconds after which a contribution to an item's counters counts half."""
    arrived_us: int
    latest_us: int
    """The latest time that an event in the store may have."""
    newest_us: int
    """The newest event, where the store does not say."""


class FeedbackBatch:
    """The writes of one transaction; after a conflict, another batch takes what was not written."""

    def __init__(
        self,
        transaction: Transaction,
        offered: Offered,
        terms: BatchTerms,
        shown: ShownScores,
        meter: Meter,
    ) -> None:
        """Takes nothing yet.

        Args:
            transaction: commits all of it.
            offered: the catalogs as of it.
            terms: of the batch.
            shown: at which scores items were shown; changed by `tell` alone.
            meter: receives the durations of folds.
        """
        self._transaction = transaction
        self._offered = offered
        self._terms = terms
        self._meter = meter
        self._ledger = ReservationLedger(transaction, terms.arrived_us)
        self._watch = RolloutWatch(offered)
        self._quality = BatchQuality(offered, shown)
        self.tally = tally_of(transaction, terms.half_life_s, terms.latest_us)
        newest_us = read_newest(transaction) or terms.newest_us
        self._newest_us = min(newest_us, terms.latest_us)
        """Time of the newest event, those of the batch included."""
        self._capacity = offered.served.settings.window_events
        self._compiled = compiled_folds()
        self._drafts: dict[str, RecordDraft] = {}
        """By user, of all that were read."""
        self.rows: dict[tuple[str, int], LogRow] = {}
        """By user and event digest."""
        self._owned: defaultdict[str, set[int]] = defaultdict(set)
        """Numbers of items that became the user's own, by user."""
        self._tombstones: dict[str, Tombstone | None] | None = (
            {} if any_tombstone(transaction) else None
        )
        """By user, as they are read; None: nobody was ever forgotten."""
        self._redated: list[str] = []
        """Users whose events of a wrong clock were moved to now."""

    def take(self, event: Event | EventResult) -> EventResult | StoreUnavailable:
        """Adds one event to the batch, or refuses it.

        Returns:
            What becomes of it with the transaction; the error, where the user's rows in a store of
            several places can't be reached: whoever sent the event sends it again.
        """
        if isinstance(event, EventResult):
            return event
        transaction, view, terms = self._transaction, self._offered.served, self._terms
        user = event.user
        try:
            signal = admit(terms.signals, event.signal, event.value)
            if self._tombstones is not None:
                self._require_not_forgotten(self._tombstones, event)
            draft = self._drafts.get(user) or self._read(user)
            if terms.latest_us < ANY_TIME and dated_after(self._whole(draft), terms.latest_us):
                draft = self._redate(user)
            digest = digest64(event.event_id)
            known = self.rows.get((user, digest)) or read_event(transaction, user, digest)
            if known is not None:
                _require_same(known.event, event)
                status = EventStatus.DUPLICATE
                return EventResult(event.event_id, status, draft.state_version)
            number = view.number(event.item)
            if number is None:
                raise UnknownItem(f"item: got {event.item[:64]!r}, which the catalog does not hold")
            waits = signal.wait_s is not None
            confirmation = self._ledger.confirmation(event) if waits else None
            self.tally.count(user, number, signal, event.occurred_at_us)
        except PenchantError as error:
            if isinstance(error, StoreUnavailable) and transaction.shared:
                return error
            return refused(event, error)
        self._newest_us = max(self._newest_us, event.occurred_at_us)
        fold_us = fold_time(terms.arrived_us, self._newest_us)
        if self._offered.rollout is not None:
            self._watch.event(user, self._whole(draft), number, signal, fold_us)
        self._quality.event(event, signal)
        draft.added.append(entry(event, number, signal))
        if signal.owned:
            self._owned[user].add(number)
        receipt = self._ledger.confirm(confirmation) if confirmation else None
        self.rows[user, digest] = LogRow(event, draft.state_version, terms.arrived_us, receipt)
        return EventResult(event.event_id, EventStatus.ACCEPTED, draft.state_version)

    def write(self) -> None:
        """Writes what the accepted events change; nothing where there are none."""
        if not self.rows:
            return
        transaction, offered = self._transaction, self._offered
        fold_us = fold_time(self._terms.arrived_us, self._newest_us)
        for view in (offered.served, offered.candidate):
            if view is not None:
                mine = [
                    (user, draft)
                    for user, draft in self._drafts.items()
                    if draft.added and offered.shown_to(user) is view
                ]
                self._fold(view, mine, fold_us)
        times_us = ((row.event.user, row.event.occurred_at_us) for row in self.rows.values())
        note_newest(transaction, self._newest_us, times_us)
        for row in self.rows.values():
            write_event(transaction, row)
        count_accepted(transaction, [user for user, _ in self.rows])
        write_tally(transaction, self.tally)
        for user, numbers in self._owned.items():
            write_owned(transaction, user, numbers | self._owned_before(user))
        self._ledger.write()
        self._watch.settle(transaction, self._terms.arrived_us)

    def tell(self, unwritten: Collection[str] = ()) -> None:
        """Tells logs and metrics of the batch; only after the commit, which may fail.

        Args:
            unwritten: users of whom nothing was written.
        """
        self._watch.say()
        for user in self._redated:
            if user not in unwritten:
                self._meter.clock_doubt("redated")
        if self.written(unwritten):
            self._quality.tell(self._meter, unwritten)

    def written(self, unwritten: Collection[str] = ()) -> int:
        """The number of accepted events, without those of some users."""
        if not unwritten:
            return len(self.rows)
        return sum(user not in unwritten for user, _ in self.rows)

    def _read(self, user: str) -> RecordDraft:
        value = read_encoded_user(self._transaction, user)
        draft = RecordDraft.of_new_user()
        if value is not None:
            version = None if self._compiled is None else self._compiled.version(value)
            if version is None or self._quality.wants_state:
                state = sound_state(user, value)
                self._quality.read(user, state)
                draft = RecordDraft(state.record, None if version is None else value)
            else:
                draft = RecordDraft(None, value, version)
        self._drafts[user] = draft
        return draft

    def _whole(self, draft: RecordDraft) -> Record:
        return draft.record(self._capacity)

    def _require_not_forgotten(self, read: dict[str, Tombstone | None], event: Event) -> None:
        if event.user not in read:
            read[event.user] = read_tombstone(self._transaction, event.user)
        tombstone = read[event.user]
        if tombstone is not None:
            tombstone.check(event)

    def _redate(self, user: str) -> RecordDraft:
        terms = self._terms
        times = terms.latest_us, terms.arrived_us
        record = redate(self._transaction, user, *times, terms.signals, self._capacity)
        self._redated.append(user)
        draft = self._drafts[user] = RecordDraft(record)
        return draft

    def _owned_before(self, user: str) -> set[int]:
        """Numbers of the user's own items; made again from the log where they can't be read."""
        try:
            return set(read_owned(self._transaction, user).tolist())
        except StateCorrupt as error:
            log.error("%s; it is made so now, since the user has a new one", error)
            rows = read_log(self._transaction, user)
            return set(rebuild_user(self._transaction, rows, self._terms.signals, 1).owned)

    def _fold(
        self, view: CatalogView, drafts: Sequence[tuple[str, RecordDraft]], fold_us: int
    ) -> None:
        """Writes records with the interests that their users' next rankings need."""
        bucket = time_bucket(fold_us, view.settings)
        for some in _in_chunks(drafts, FOLDED_TOGETHER):
            started, began_ns = time.perf_counter(), step_began()
            rest = some
            if self._compiled is not None:
                drafted = [draft for _, draft in some]
                learnt = self._compiled.learn(view, drafted, self._capacity, bucket)
                rest = []
                for (user, draft), value in zip(some, learnt, strict=True):
                    if value is None:
                        rest.append((user, draft))
                    else:
                        self._write_encoded(user, value)
            if rest:
                self._fold_with_numpy(view, rest, bucket)
            self._meter.fold(time.perf_counter() - started, len(some))
            step_ended("fold", began_ns)

    def _write_encoded(self, user: str, value: bytes) -> None:
        write_encoded_user(self._transaction, user, value)
        if self._quality.follows(user):
            state = sound_state(user, value)
            if state.key is not None and state.interest is not None:
                self._quality.folded(user, state.key, state.interest)

    def _fold_with_numpy(
        self, view: CatalogView, drafts: Sequence[tuple[str, RecordDraft]], bucket: int
    ) -> None:
        records = [self._whole(draft) for _, draft in drafts]
        for (user, _), state in zip(drafts, folded_states(view, records, bucket), strict=True):
            if state.key is not None and state.interest is not None:
                self._quality.folded(user, state.key, state.interest)
            write_user(self._transaction, user, state)


def rows_of(events: Iterable[Event | EventResult], view: CatalogView | None) -> Iterator[bytes]:
    """The keys of the rows that events need, for a store over a network to read in one go.

    Lazy, since a store on this machine does not look at them.

    Args:
        events: of a batch.
        view: of an earlier batch, which knows the numbers of most items; None: there was none.
    """
    yield from READ_BY_ALL
    for event in events:
        if isinstance(event, EventResult):
            continue
        yield encode(Kind.USER, event.user)
        yield encode(Kind.LOG, event.user, digest64(event.event_id))
        if event.recommendation_id:
            yield encode(Kind.LEDGER, event.user)
        number = None if view is None else view.number(event.item)
        if number is not None:
            yield encode(Kind.CONTRIBUTION, number, event.user)
            yield encode(Kind.COUNTERS, number)


def _in_chunks(elements: Sequence[_Element], size: int) -> Iterator[Sequence[_Element]]:
    for start in range(0, len(elements), size):
        yield elements[start : start + size]


def _require_same(known: Event, event: Event) -> None:
    """An event id stands for one event; only the time may differ, since some callers renew it."""
    if dataclasses.replace(event, occurred_at_us=known.occurred_at_us) == known:
        return
    raise EventIdReused(
        f"event_id: got {event.event_id[:64]!r} with other content than the event "
        "that was accepted under it; give each event an id of its own"
    )
