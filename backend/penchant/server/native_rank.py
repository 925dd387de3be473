"""Rank by the compiled module: the common case in one call, from request bytes to reply bytes.

What it declines takes the general way through `wire.rank` and `service.rank`, which also says what
is wrong with a request that is refused: a query, an explanation, exploration, diversity, a context
that changes the ranking, a fold that the module declines, a damaged row, a user who is shown a
release on rollout. Both give the same items in the same order, and scores that differ by rounding
alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import penchant_native

from penchant.catalog.coarse_rows import CoarseBytes, CoarseRows
from penchant.catalog.view import CatalogView
from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits
from penchant.server.plans import SMALL_CANDIDATES, SMALL_K
from penchant.service.clock import Clock
from penchant.service.compiled_folds import MOST_BUCKET_S, CompiledFolds
from penchant.service.meter import Meter
from penchant.service.user_interest import READ_BY_ALL, Catalogs, Offered
from penchant.store.base import Snapshot, Store
from penchant.store.keys import Kind, encode
from penchant.store.remembered_rows import is_remembered
from penchant.system.step_times import step_began, step_ended

_HEAD, _ROLLOUT, _NEWEST = READ_BY_ALL

_Get = Callable[[bytes], bytes | None]
"""Gives a row of a snapshot by its key."""


class _Known(NamedTuple):
    """The catalog that the last calls were answered from."""

    head: bytes | None
    """The row of its head."""
    view: CatalogView
    native: penchant_native.RankView | None
    """Its compiled twin; None for an empty catalog, or settings that the module lacks."""


class NativeRank:
    """See `penchant.server.dispatch.NativeVerb`; safe in threads."""

    tag = b"\x0a"

    def __init__(
        self,
        store: Store,
        catalogs: Catalogs,
        clock: Clock,
        meter: Meter,
        explorations_per_day: int,
        limits: Limits,
        stored_name: Callable[[str], str] | None,
    ) -> None:
        """Answers over a store.

        Args:
            store: where it is away, calls take the general way, which may go on without it.
            catalogs: of the store.
            clock: the server's time.
            meter: receives the measurements.
            explorations_per_day: explored impressions that a user may get in a day.
            limits: of a call; a request beyond them is declined.
            stored_name: from the caller's name of a user to the store's; None: they are the same.
        """
        self._store = store
        self._catalogs = catalogs
        self._clock = clock
        self._meter = meter
        self._explorations_per_day = explorations_per_day
        self._stored_name = stored_name
        limits_ = penchant_native.RankLimits(
            k=min(limits.k, SMALL_K),
            candidates=min(limits.candidates, SMALL_CANDIDATES),
            id_bytes=limits.id_bytes,
            context_entries=limits.context_entries,
            context_bytes=limits.context_bytes,
            candidates_of_cost=SMALL_CANDIDATES,
        )
        self.parse = partial(penchant_native.parse_rank_call, limits=limits_)
        """See `NativeVerb.parse`; no function of Python's own, for speed on the hot path."""
        self._lock = threading.Lock()
        self._ids = penchant_native.ItemIds()
        self._coarse = CoarseRows(catalogs.directory, penchant_native)
        self._known: _Known | None = None

    def answer(self, calls: Sequence[penchant_native.RankCall]) -> list[bytes | None]:
        """One serialized reply per call, all from one snapshot; None: it takes the general way."""
        names = [call.user for call in calls]
        if self._stored_name is not None:
            names = [self._stored_name(name) for name in names]
        try:
            with self._store.snapshot() as snapshot:
                get: _Get = snapshot.get
                began_ns = step_began()
                if self._store.shared:
                    if is_remembered(snapshot):  # The replies must say so.
                        return [None] * len(calls)
                    snapshot.fetch(_keys(calls, names))
                view, others = self._catalog(get, snapshot)
                if view is None:
                    return [None] * len(calls)
                taken: list[penchant_native.RankCall | None] = list(calls)
                if others is not None:
                    shown = [others.shown_to(name) is others.served for name in names]
                    taken = [
                        call if mine else None for call, mine in zip(calls, shown, strict=True)
                    ]
                if began_ns:  # All is read now, so that a trace shows how long that takes.
                    get = {key: get(key) for key in _keys(calls, names)}.get
                    step_ended("read", began_ns)
                    began_ns = step_began()
                replies, tops, cold, folds, fold_s = view.answer(
                    taken, names, get, get(_NEWEST), self._clock(), self._explorations_per_day
                )
                if began_ns:
                    step_ended("score", began_ns)
        except PenchantError:
            # It is found, and said, once more on the general way.
            return [None] * len(calls)
        self._meter.ranked(tops, cold)
        if folds:
            self._meter.fold(fold_s, folds)
        return replies

    def _catalog(
        self, get: _Get, snapshot: Snapshot
    ) -> tuple[penchant_native.RankView | None, Offered | None]:
        """The catalog as of a snapshot; with what is offered to whom, where there is a rollout."""
        head, rollout = get(_HEAD), get(_ROLLOUT)
        known = self._known
        # The usual case, in a few calls: the head has not moved, and its files are whole.
        still, whole = self._catalogs.served.still, self._coarse.whole()
        if (
            known is not None
            and head == known.head
            and rollout is None
            and whole
            and still(known.view)
        ):
            return known.native, None
        # It may be newer than the snapshot's, where another thread has read that.
        offered = self._catalogs.read(snapshot)
        if known is None or known.view is not offered.served or not whole:
            native = self._twin(offered.served)
        else:
            native = known.native
        self._known = _Known(head, offered.served, native)
        return native, None if rollout is None else offered

    def _twin(self, view: CatalogView) -> penchant_native.RankView | None:
        """The compiled twin of a view; None for an empty catalog, or settings that it lacks."""
        if not view.head.rows or view.settings.time_bucket_s > MOST_BUCKET_S:
            return None
        terms = CompiledFolds().terms(view)
        if terms is None and view.settings.repeat_weight and view.settings.signal_weights:
            return None
        with self._lock:
            self._ids.follow(view.ids)
            return _native_view(view, self._ids, terms, self._coarse.of(view))


def _keys(calls: Sequence[penchant_native.RankCall], names: Sequence[str]) -> list[bytes]:
    """The keys of all rows that calls may need, whose users have these names in the store."""
    keys = [encode(Kind.USER, name) for name in names]
    keys += [
        encode(Kind.OWNED, name)
        for call, name in zip(calls, names, strict=True)
        if call.exclude_owned
    ]
    return [*READ_BY_ALL, *keys]


def _native_view(
    view: CatalogView,
    ids: penchant_native.ItemIds,
    terms: penchant_native.FoldTerms | None,
    coarse: CoarseBytes | None,
) -> penchant_native.RankView:
    settings, head = view.settings, view.head
    neighbours = view.neighbours
    return penchant_native.RankView(
        ids=ids,
        vectors=view.vectors,
        offsets=view.offsets,
        offset_weights=np.ascontiguousarray(view.offset_weights, np.float32),
        popularity=np.ascontiguousarray(view.popularity, np.float32),
        tail=np.ascontiguousarray(view.tail, np.float32),
        alive=view.alive,
        neighbours=neighbours.view(np.uint32) if len(neighbours) else np.zeros((0, 0), np.uint32),
        prior_mean=view.prior.mean.astype(np.float32),
        coarse=coarse,
        version=head.version,
        encoder_version=head.encoder_version,
        digest=view.digest,
        time_bucket_s=settings.time_bucket_s,
        interests=settings.interests,
        slow_weight=settings.slow_weight,
        fast_weight=settings.fast_weight,
        near_weight=settings.near_weight,
        tail_offset_weight=settings.tail_offset_weight,
        tail_lift=settings.tail_lift,
        opening_offset_weight=settings.opening_offset_weight,
        knows_contexts=bool(settings.context_halvings) or bool(view.frozen.segments),
        repeat_weight=settings.repeat_weight,
        repeat_half_life_s=settings.repeat_half_life_s,
        repeat_pause_s=settings.repeat_pause_s,
        repeat_basket_weight=settings.repeat_basket_weight,
        fold=terms,
    )
