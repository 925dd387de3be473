"""The plain calls of a transaction, taken by the compiled module: all of them in one step.

It writes the same rows as `service.feedback_batch`, byte for byte, and declines what that must look
at, call by call: refused events and duplicates, purchases, impressions that may confirm a
reservation, users who were once forgotten, damaged rows and those of another release. Where a fold
could round differently, NumPy folds. It takes none where a release is on rollout, where the store's
times are ahead of the clock or a day behind it, or where several servers write.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from penchant.catalog.item_biases import CountedItems
from penchant.catalog.view import CatalogView
from penchant.domain.event_weights import QUIET_US, fold_time, time_bucket
from penchant.domain.rewards import SignalTable
from penchant.domain.signal_weights import signal_code
from penchant.domain.types import WINDOW_DTYPE
from penchant.service.batch_quality import score_of
from penchant.service.compiled_folds import MOST_BUCKET_S, CompiledFolds
from penchant.service.feedback_batch import BatchTerms
from penchant.service.item_counts import ANY_TIME
from penchant.service.meter import Meter, Outcome
from penchant.service.record_draft import RecordDraft
from penchant.service.shown_scores import ShownScores
from penchant.service.user_interest import Offered, folded_states
from penchant.store.accepted_events import add_accepted
from penchant.store.base import Transaction
from penchant.store.newest import note_newest, read_newest
from penchant.store.tombstones import any_tombstone, tombstone_key
from penchant.store.users import write_user

if TYPE_CHECKING:
    from penchant_native import FeedbackCall, FeedbackView

MOST_WEIGHT = 1e30
"""Largest weight of a signal of the compiled way: a record holds single precision."""


class _Taken(NamedTuple):
    """What `penchant_native.FeedbackView.take` returns."""

    replies: list[bytes | None]
    rows: list[tuple[bytes, bytes]]
    unfolded: list[tuple[str, bytes | None, bytes]]
    events: int
    newest_us: int
    counted: tuple[bytes, bytes, bytes, bytes]
    outcomes: list[tuple[int, bool, float, float]]
    drift: float | None
    folds: int
    fold_s: float


@dataclass(frozen=True, slots=True)
class PlainBatch:
    """The plain calls of a transaction, whose rows are written."""

    replies: list[bytes | None]
    """One serialized reply per call, in order; None: it is not plain."""
    events: int = 0
    """Accepted events of the plain calls."""
    counted: CountedItems | None = None
    """The counters that they changed."""
    _outcomes: Sequence[tuple[int, bool, float, float]] = ()
    _drift: float | None = None
    _folds: int = 0
    _fold_s: float = 0.0

    def tell(self, meter: Meter, shown: ShownScores) -> None:
        """Tells what the events say about the quality of rankings; only after the commit."""
        if self._folds:
            meter.fold(self._fold_s, self._folds)
        if self._drift is not None:
            meter.interest_drift(self._drift)
        if self._outcomes:
            meter.outcomes(
                [
                    Outcome("served", impression, reward, score_of(shown, key, impression, score))
                    for key, impression, reward, score in self._outcomes
                ]
            )


class PlainFeedback:
    """Takes the plain calls of transactions; safe in threads."""

    def __init__(self, signals: SignalTable, half_life_s: float, future_s: int) -> None:
        """Keeps what holds for all of them.

        Args:
            signals: rewards of the signals.
            half_life_s: seconds after which a contribution to an item's counters counts half.
            future_s: seconds that an event's time may lie ahead of the clock.
        """
        import penchant_native

        self._signals = [
            (
                *(name, row.reward, row.weight, row.neutral, row.scale, row.value_min),
                *(row.value_max, row.value_required, row.wait_s, row.owned, signal_code(name)),
            )
            for name, row in signals.items()
        ]
        self._fits = half_life_s >= 1.0 and all(
            row.weight <= MOST_WEIGHT and (row.wait_s or 0.0) <= MOST_WEIGHT
            for row in signals.values()
        )
        self._half_life_s = half_life_s
        self._future_us = future_s * 1_000_000
        self._lock = threading.Lock()
        self._ids = penchant_native.ItemIds()
        self._known: tuple[CatalogView, FeedbackView | None] | None = None

    def take(
        self,
        transaction: Transaction,
        offered: Offered,
        terms: BatchTerms,
        calls: Sequence[FeedbackCall],
        names: Sequence[str] | None,
    ) -> PlainBatch:
        """Takes those of some calls that are plain, and writes what their events change.

        Args:
            transaction: of one server alone.
            offered: the catalogs as of it.
            terms: of the batch.
            calls: parsed, and within the limits.
            names: of the users of their events in the store, in order; None: the callers' own.
        """
        view = offered.served
        native = None
        if offered.rollout is None and terms.latest_us >= ANY_TIME:
            native = self._twin(view)
        if native is None:
            return PlainBatch([None] * len(calls))
        tombstones = None
        if any_tombstone(transaction):
            users = names or [user for call in calls for user in call.users]
            tombstones = [tombstone_key(user) for user in users]
        before_us = read_newest(transaction) or terms.newest_us
        if terms.arrived_us > before_us + QUIET_US:
            # The clock of folds stands still, until an event of any call of the batch moves it.
            return PlainBatch([None] * len(calls))
        taken = _Taken(
            *native.take(
                list(calls),
                None if names is None else list(names),
                tombstones,
                transaction.get,
                terms.arrived_us,
                before_us,
            )
        )
        if not taken.events:
            return PlainBatch(taken.replies)
        for key, value in taken.rows:
            transaction.put(key, value)
        if taken.unfolded:
            fold_us = fold_time(terms.arrived_us, taken.newest_us)
            _fold_with_numpy(transaction, view, taken.unfolded, fold_us)
        note_newest(transaction, taken.newest_us, ())
        add_accepted(transaction, taken.events)
        numbers, positives, impressions, as_of_us = taken.counted
        return PlainBatch(
            taken.replies,
            taken.events,
            CountedItems(
                np.frombuffer(numbers, np.int64),
                np.frombuffer(positives, np.float64),
                np.frombuffer(impressions, np.float64),
                np.frombuffer(as_of_us, np.int64),
            ),
            taken.outcomes,
            taken.drift,
            taken.folds + len(taken.unfolded),
            taken.fold_s,
        )

    def _twin(self, view: CatalogView) -> FeedbackView | None:
        """The compiled twin of a view; None for an empty catalog, or settings that it lacks."""
        with self._lock:
            known = self._known
            if known is None or known[0] is not view:
                self._known = (view, None)  # A twin that can't be made is not tried again.
                known = self._known = (view, self._made(view))
            return known[1]

    def _made(self, view: CatalogView) -> FeedbackView | None:
        import penchant_native

        settings = view.settings
        if not self._fits or not view.head.rows:
            return None
        if not 1.0 <= settings.time_bucket_s <= MOST_BUCKET_S:
            return None
        fold = CompiledFolds().terms(view)
        if fold is None:
            return None
        self._ids.follow(view.ids)
        return penchant_native.FeedbackView(
            ids=self._ids,
            vectors=view.vectors,
            alive=view.alive,
            signals=self._signals,
            half_life_s=self._half_life_s,
            half_life_us=max(1, round(self._half_life_s * 1e6)),
            future_us=self._future_us,
            capacity=settings.window_events,
            time_bucket_s=settings.time_bucket_s,
            version=view.head.version,
            digest=view.digest,
            fold=fold,
        )


def _fold_with_numpy(
    transaction: Transaction,
    view: CatalogView,
    users: Sequence[tuple[str, bytes | None, bytes]],
    fold_us: int,
) -> None:
    """Writes the records of users whose folds the module declined."""
    capacity, size = view.settings.window_events, WINDOW_DTYPE.itemsize
    records = []
    for _, before, added in users:
        draft = RecordDraft.of_new_user() if before is None else RecordDraft(None, before)
        draft.added += [added[start : start + size] for start in range(0, len(added), size)]
        records.append(draft.record(capacity))
    states = folded_states(view, records, time_bucket(fold_us, view.settings))
    for (user, _, _), state in zip(users, states, strict=True):
        write_user(transaction, user, state)
