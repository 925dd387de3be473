"""Rank: read the record, fold if the cache is stale, score, take the best k."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.catalog.search import top_k
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.errors import EncoderUnavailable, PenchantError, StateBehind
from penchant.domain.interest import direction, score
from penchant.domain.neighbours import near_all, near_some
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Interest, Ranking, RankRequest, Rows, UserState, Vector
from penchant.domain.weighing import time_bucket
from penchant.domain.window import empty_record
from penchant.encoder.base import Encoder
from penchant.service.clock import Clock
from penchant.service.explain import Ranked, Subject, explain
from penchant.service.meter import Meter
from penchant.service.reading import fold_key, interest_of, read_catalog
from penchant.store.base import Snapshot, Store
from penchant.store.users import read_user

_MINUS_INFINITY = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class _Scored:
    """The best rows of one request with their scores, before anything is named."""

    rows: Rows
    scores: Vector
    offsets: Vector
    """The offset's part of each score, as it stood when the score was made."""
    unknown: list[str]


class RankService:
    """Answers rank requests; only reads, so any number of processes may run one."""

    def __init__(
        self,
        store: Store,
        catalog: CatalogReader,
        encoder: Encoder,
        settings: FoldSettings,
        clock: Clock,
        meter: Meter,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._encoder = encoder
        self._settings = settings
        self._settings_digest = settings.digest()
        self._clock = clock
        self._meter = meter

    def rank(self, requests: Sequence[RankRequest]) -> list[Ranking | PenchantError]:
        """One ranking or error per request, independent of the others; one snapshot for all."""
        queries = self._encode_queries(requests)
        with self._store.snapshot() as snapshot:
            view = read_catalog(snapshot, self._catalog)
            replies: list[Ranking | PenchantError] = []
            for request in requests:
                try:
                    query = queries[request.query] if request.query else None
                    if isinstance(query, PenchantError):
                        raise query
                    replies.append(self._rank_one(snapshot, view, request, query))
                except PenchantError as error:
                    replies.append(error)
        return replies

    def _encode_queries(self, requests: Sequence[RankRequest]) -> dict[str, Vector | PenchantError]:
        texts = sorted({request.query for request in requests if request.query})
        if not texts:
            return {}
        try:
            return dict(zip(texts, self._encoder.encode(texts), strict=True))
        except PenchantError as error:
            return dict.fromkeys(texts, error)

    def _rank_one(
        self, snapshot: Snapshot, view: CatalogView, request: RankRequest, query: Vector | None
    ) -> Ranking:
        state = read_user(snapshot, request.user) or UserState(empty_record())
        _require_version(state, request.min_state_version)
        if view.head.rows == 0:
            query = None
        if query is not None:
            self._require_one_space(view)
        now_us = self._clock() if request.as_of_us is None else request.as_of_us
        bucket = time_bucket(now_us, self._settings)
        interest = self._interest(state, view, bucket)
        scored = self._score(view, state, request, interest, query)
        explanations = None
        if request.explain:
            ranked = Ranked(scored.rows, scored.offsets, query)
            subject = Subject(request.user, state.record.window, interest.recent, bucket)
            explanations = explain(snapshot, view, subject, ranked, self._settings)
        return Ranking(
            recommendation_id=os.urandom(12).hex(),
            ids=[view.ids[row] for row in scored.rows.tolist()],
            scores=scored.scores.tolist(),
            explanations=explanations,
            unknown_candidates=scored.unknown,
            state_version=state.record.state_version,
            catalog_version=view.head.version,
            encoder_version=view.head.encoder_version,
            cold_start=state.record.state_version == 0,
        )

    def _interest(self, state: UserState, view: CatalogView, bucket: int) -> Interest:
        started = time.perf_counter()
        key = fold_key(view, bucket, self._settings_digest)
        interest, folded = interest_of(state, view, key, self._settings)
        if folded:
            self._meter.fold(time.perf_counter() - started)
        return interest

    def _score(
        self,
        view: CatalogView,
        state: UserState,
        request: RankRequest,
        interest: Interest,
        query: Vector | None,
    ) -> _Scored:
        """Equation 5 of `domain.interest` over the candidates or the catalog."""
        towards = direction(interest, query, self._settings)
        near_weight = np.float32(self._settings.near_weight)
        seen = state.record.window["item"] if request.exclude_seen else None
        if request.candidates is None:
            scores, offsets = score(view.vectors, view.offsets, towards, self._settings)
            if len(view.neighbours):
                scores += near_weight * near_all(view.neighbours, interest.recent, view.head.rows)
            _leave_out(scores, view, seen)
            best = top_k(scores, request.k)
            return _Scored(best, scores[best], offsets[best], [])
        rows, unknown = view.split(request.candidates)
        vectors = view.vectors.take(rows, axis=0)
        scores, offsets = score(vectors, view.offsets.take(rows), towards, self._settings)
        if len(view.neighbours):
            scores += near_weight * near_some(view.neighbours, interest.recent, rows)
        if seen is not None:
            scores[np.isin(rows, seen)] = _MINUS_INFINITY
        best = top_k(scores, request.k)
        return _Scored(rows[best], scores[best], offsets[best], unknown)

    def _require_one_space(self, view: CatalogView) -> None:
        if view.head.encoder_version != self._encoder.version:
            raise EncoderUnavailable(
                f"query: the catalog is encoded by {view.head.encoder_version}, the encoder that "
                f"is loaded is {self._encoder.version}; put the items again to encode them anew"
            )


def _leave_out(scores: Vector, view: CatalogView, seen: NDArray[np.uint32] | None) -> None:
    if view.head.alive < view.head.rows:
        scores[~view.alive] = _MINUS_INFINITY
    if seen is not None:
        scores[seen[seen < view.head.rows]] = _MINUS_INFINITY


def _require_version(state: UserState, least: int) -> None:
    if state.record.state_version < least:
        raise StateBehind(
            f"min_state_version: got {least}, the user's state is at "
            f"{state.record.state_version}; ask again in a moment"
        )
