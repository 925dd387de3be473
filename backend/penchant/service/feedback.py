"""Feedback: look up, insert, fold, commit, acknowledge; one transaction for the whole batch.

Where several servers write to one store, another one may be faster by some users of a batch. Their
events alone are then taken again, in a transaction of their own, so that each event is answered for
what has become of it, once.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING

from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.errors import PenchantError, StoreUnavailable
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event
from penchant.service.clock import Clock
from penchant.service.counted_offsets import CountedOffsets
from penchant.service.event_results import EventResult, EventStatus, FeedbackRequest
from penchant.service.feedback_batch import BatchTerms, FeedbackBatch, rows_of
from penchant.service.meter import Meter
from penchant.service.plain_feedback import PlainFeedback
from penchant.service.shown_scores import ShownScores
from penchant.service.slices import SliceSize
from penchant.service.user_interest import Catalogs, Offered
from penchant.store.base import Store, Transaction, WriteConflict
from penchant.store.conflict_retries import ConflictRetries
from penchant.store.counters import read_counters
from penchant.system.step_times import step_began, step_ended

if TYPE_CHECKING:
    from penchant_native import FeedbackCall

log = logging.getLogger("penchant")

MOST_CAUSES = 100
"""Causes of refusals that are logged, at most."""

_Taken = dict[int, EventResult | StoreUnavailable]
"""Results by the places of their events in the batch."""


class FeedbackService:
    """Accepts events. One process of a server runs it, since it writes the live offsets."""

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
        self._clock = clock
        self._meter = meter
        self._said: set[str] = set()
        self._shown_scores = ShownScores()
        self._offsets = CountedOffsets(store, catalogs, item_biases, clock, meter, installed_us)
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
                (reply,) = self.feedback([FeedbackRequest(some)])
            if isinstance(reply, PenchantError):
                raise reply
            results += reply
            yield
        return results

    def feedback(
        self, requests: Sequence[FeedbackRequest]
    ) -> list[list[EventResult] | PenchantError]:
        """The results of each call's events, durable when this returns.

        A call fails with StoreUnavailable where the rows of one of its users can't be reached in a
        store of several places; its other events may have been accepted, and sent again, they are
        duplicates.

        Raises:
            StoreUnavailable: no event of the whole batch was accepted. Where several servers write,
                some may have been: sent again, they are duplicates.
        """
        arrived_us, started = self._clock(), time.perf_counter()
        latest_us = self._offsets.latest(arrived_us)
        events = list(itertools.chain.from_iterable(call.events for call in requests))
        left, results, retries = dict(enumerate(events)), _Taken(), ConflictRetries()
        while left:
            taken, conflict = self._attempt(left, arrived_us, latest_us)
            results |= taken
            left = {place: event for place, event in left.items() if place not in taken}
            if conflict is not None:
                retries.pause(conflict)
        settled = [result for result in results.values() if isinstance(result, EventResult)]
        self._say_refused(settled)
        if any(result.status is EventStatus.ACCEPTED for result in settled):
            self._meter.staleness(time.perf_counter() - started)
        ordered = iter([results[place] for place in range(len(events))])
        return [_reply(list(itertools.islice(ordered, len(call.events)))) for call in requests]

    def plainly(
        self,
        plain: PlainFeedback,
        calls: Sequence[FeedbackCall],
        names: Sequence[str] | None,
        general: Callable[[int], FeedbackRequest | None],
    ) -> list[bytes | list[EventResult] | None]:
        """As `feedback`, where one server alone writes: all calls in one transaction.

        Args:
            plain: takes those that are plain.
            calls: parsed by the compiled module.
            names: of the users of their events in the store, in order; None: the callers' own.
            general: reads the call at a place, which is not plain, as a request; None: it is
                refused.

        Returns:
            A serialized reply for each plain call, the results of the others' events, or None for a
            call that `general` refuses.

        Raises:
            StoreUnavailable: no event of any call was accepted.
        """
        arrived_us, started = self._clock(), time.perf_counter()
        latest_us = self._offsets.latest(arrived_us)
        replies: list[bytes | list[EventResult] | None] = []
        settled: list[EventResult] = []
        batch: FeedbackBatch | None = None
        began_ns = step_began()
        with self._store.transaction() as transaction:
            offered, recounted, terms = self._begun(transaction, arrived_us, latest_us)
            step_ended("read", began_ns)
            began_ns = step_began()
            taken = plain.take(transaction, offered, terms, calls, names)
            step_ended("fold", began_ns)
            replies += taken.replies
            for place in [place for place, reply in enumerate(replies) if reply is None]:
                request = general(place)
                if request is not None:
                    batch = batch or FeedbackBatch(
                        transaction, offered, terms, self._shown_scores, self._meter
                    )
                    results = [batch.take(event) for event in request.events]
                    replies[place] = own = [one for one in results if isinstance(one, EventResult)]
                    settled += own
            if batch is not None:
                batch.write()
            elsewhere = {number: read_counters(transaction, number) for number in recounted}
            commit_started, commit_began_ns = time.perf_counter(), step_began()
        step_ended("commit", commit_began_ns)
        events = taken.events + (0 if batch is None else batch.written())
        if events or elsewhere:
            tally = None if batch is None else batch.tally
            self._offsets.publish(offered.served.head, tally, elsewhere, plain=taken.counted)
        if events:
            self._meter.commit(time.perf_counter() - commit_started, events)
            self._meter.staleness(time.perf_counter() - started)
        taken.tell(self._meter, self._shown_scores)
        if batch is not None:
            batch.tell()
            self._say_refused(settled)
        return replies

    def follow(self) -> None:
        """Reads what other servers counted; see `CountedOffsets.follow`."""
        self._offsets.follow()

    def _begun(
        self, transaction: Transaction, arrived_us: int, latest_us: int
    ) -> tuple[Offered, set[int], BatchTerms]:
        """The catalogs as of a transaction, the items that others counted anew, and its terms."""
        offered = self._catalogs.read(transaction)
        recounted = self._offsets.read(transaction, offered.served)
        newest_us, half_life_s = self._offsets.newest_us, self._offsets.half_life_s
        terms = BatchTerms(self._signals, half_life_s, arrived_us, latest_us, newest_us)
        return offered, recounted, terms

    def _attempt(
        self, events: dict[int, Event | EventResult], arrived_us: int, latest_us: int
    ) -> tuple[_Taken, WriteConflict | None]:
        """Takes events in one transaction; returns results of those that are settled by it."""
        conflict: WriteConflict | None = None
        batch: FeedbackBatch | None = None
        began_ns = step_began()
        try:
            with self._store.transaction() as transaction:
                transaction.fetch(rows_of(events.values(), self._catalogs.served.latest))
                offered, recounted, terms = self._begun(transaction, arrived_us, latest_us)
                batch = FeedbackBatch(transaction, offered, terms, self._shown_scores, self._meter)
                taken = {place: batch.take(event) for place, event in events.items()}
                step_ended("read", began_ns)
                batch.write()
                elsewhere = {number: read_counters(transaction, number) for number in recounted}
                commit_started, commit_began_ns = time.perf_counter(), step_began()
            step_ended("commit", commit_began_ns)
        except WriteConflict as error:
            if not error.users:
                return {}, error
            conflict = error
        assert batch is not None  # The conflict came at the commit.
        unwritten = frozenset[str]() if conflict is None else conflict.users
        rows = batch.written(unwritten)
        if rows or elsewhere:
            self._offsets.publish(offered.served.head, batch.tally, elsewhere, unwritten)
        if rows:
            self._meter.commit(time.perf_counter() - commit_started, rows)
        batch.tell(unwritten)
        if not unwritten:
            return taken, None
        return {
            place: result
            for place, result in taken.items()
            if isinstance(event := events[place], EventResult) or event.user not in unwritten
        }, conflict

    def _say_refused(self, results: Iterable[EventResult]) -> None:
        """Counts refused events, and logs the first of each cause: callers may not look."""
        for result in results:
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


def _reply(results: Sequence[EventResult | StoreUnavailable]) -> list[EventResult] | PenchantError:
    """The results of one call; the error, if the store could not be reached for one of them."""
    settled = [result for result in results if isinstance(result, EventResult)]
    if len(settled) == len(results):
        return settled
    return next(result for result in results if isinstance(result, StoreUnavailable))
