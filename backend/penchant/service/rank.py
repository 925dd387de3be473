"""Rank: read the record, fold if the cache is stale, score, take the best k."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from penchant.catalog.view import CatalogView
from penchant.domain.context import Slots, as_slots
from penchant.domain.errors import EncoderUnavailable, PenchantError, StateBehind
from penchant.domain.event_weights import time_bucket
from penchant.domain.exploration import explored_lately
from penchant.domain.ranking import Ranking, RankRequest
from penchant.domain.types import Interest, UserState, Vector
from penchant.domain.window import empty_record
from penchant.encoder.base import Encoders
from penchant.service.clock import Clock
from penchant.service.explain import Ranked, Subject, explain
from penchant.service.meter import Meter
from penchant.service.scoring import Picked, Scored, best_of, score_all
from penchant.service.selection import Explored, Explorer, diverse, explore
from penchant.service.user_interest import Catalogs, interest_of
from penchant.store.base import Snapshot, Store
from penchant.store.owned import read_owned
from penchant.store.users import read_user

ENCODED_AGAIN = 3
"""How often queries follow a change of the encoder before the caller is told to come again."""


class _Query(NamedTuple):
    """A text and the space that its vector is wanted in."""

    encoder_version: str
    dimensions: int
    text: str


class RankService:
    """Answers rank requests; only reads, so any number of processes may run one."""

    def __init__(
        self,
        store: Store,
        catalogs: Catalogs,
        encoders: Encoders,
        clock: Clock,
        meter: Meter,
        explorations_per_day: int,
    ) -> None:
        self._store = store
        self._catalogs = catalogs
        self._encoders = encoders
        self._clock = clock
        self._meter = meter
        self._explorations_per_day = explorations_per_day

    def rank(self, requests: Sequence[RankRequest]) -> list[Ranking | PenchantError]:
        """One ranking or error per request, independent of the others; one snapshot for all.

        Queries are encoded between two snapshots, since that takes milliseconds; where a release
        is published in between, they are encoded again, so that no ranking mixes two spaces.
        """
        queries: dict[_Query, Vector | PenchantError] = {}
        for _ in range(ENCODED_AGAIN + 1):
            with self._store.snapshot() as snapshot:
                offered = self._catalogs.read(snapshot)
                views = [offered.shown_to(request.user) for request in requests]
                wanted = [_query(*pair) for pair in zip(views, requests, strict=True)]
                missing = {query for query in wanted if query is not None} - queries.keys()
                if not missing:
                    return [
                        self._answer(snapshot, view, request, query and queries[query])
                        for view, request, query in zip(views, requests, wanted, strict=True)
                    ]
            queries |= self._encode(sorted(missing))
        raise EncoderUnavailable("query: the encoder is being changed; ask again in a moment")

    def _encode(self, queries: Sequence[_Query]) -> dict[_Query, Vector | PenchantError]:
        vectors: dict[_Query, Vector | PenchantError] = {}
        for space in dict.fromkeys((query.encoder_version, query.dimensions) for query in queries):
            some = [query for query in queries if query[:2] == space]
            try:
                encoder = self._encoders.of(*space)
                vectors |= zip(some, encoder.encode([query.text for query in some]), strict=True)
            except PenchantError as error:
                vectors |= dict.fromkeys(some, error)
        return vectors

    def _answer(
        self,
        snapshot: Snapshot,
        view: CatalogView,
        request: RankRequest,
        query: Vector | PenchantError | None,
    ) -> Ranking | PenchantError:
        if isinstance(query, PenchantError):
            return query
        try:
            return self._rank_one(snapshot, view, request, query)
        except PenchantError as error:
            return error

    def _rank_one(
        self, snapshot: Snapshot, view: CatalogView, request: RankRequest, query: Vector | None
    ) -> Ranking:
        state = read_user(snapshot, request.user) or UserState(empty_record())
        _require_version(state, request.min_state_version)
        now_us = self._clock() if request.as_of_us is None else request.as_of_us
        bucket = time_bucket(now_us, view.settings)
        context, window = as_slots(request.context), state.record.window
        interest = self._interest(state, view, bucket, context)
        owned = read_owned(snapshot, request.user) if request.exclude_owned else None
        scored = score_all(view, state, request, interest, query, owned)
        left = max(0, self._explorations_per_day - explored_lately(window, now_us))
        explored: Explored | None = None
        if request.explore is not None and left:
            explorer = Explorer(window, bucket, context)
            explored = explore(view, explorer, scored, request.k, request.explore)
        picked = explored.picked if explored else _greedy(view, scored, request)
        explanations = None
        if request.explain:
            ranked = Ranked(picked.rows, picked.offsets, query)
            subject = Subject(request.user, window, interest.recent, bucket, context)
            explanations = explain(snapshot, view, subject, ranked)
        return Ranking(
            recommendation_id=os.urandom(12).hex(),
            ids=[view.ids[row] for row in picked.rows.tolist()],
            scores=picked.scores.tolist(),
            propensities=explored.propensities if explored else None,
            propensity_estimated=explored is not None and explored.estimated,
            explorations_left=left,
            explanations=explanations,
            unknown_candidates=picked.unknown,
            state_version=state.record.state_version,
            catalog_version=view.head.version,
            encoder_version=view.head.encoder_version,
            cold_start=state.record.state_version == 0,
        )

    def _interest(
        self, state: UserState, view: CatalogView, bucket: int, context: Slots
    ) -> Interest:
        started = time.perf_counter()
        interest, folded = interest_of(state, view, bucket, context)
        if folded:
            self._meter.fold(time.perf_counter() - started)
        return interest


def _greedy(view: CatalogView, scored: Scored, request: RankRequest) -> Picked:
    if request.diversity:
        return diverse(view, scored, request.k, request.diversity)
    return best_of(scored, request.k)


def _query(view: CatalogView, request: RankRequest) -> _Query | None:
    """What must be encoded for a request; None: nothing, as where the catalog is empty."""
    if not request.query or view.head.rows == 0:
        return None
    return _Query(view.head.encoder_version, view.head.dimensions, request.query)


def _require_version(state: UserState, least: int) -> None:
    if state.record.state_version < least:
        raise StateBehind(
            f"min_state_version: got {least}, the user's state is at "
            f"{state.record.state_version}; ask again in a moment"
        )
