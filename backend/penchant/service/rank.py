"""Rank: read the record, fold if the cache is stale, score, select k items."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from penchant.catalog.view import CatalogView
from penchant.domain.context import as_slots
from penchant.domain.errors import (
    EncoderUnavailable,
    InvalidRequest,
    PenchantError,
    StateBehind,
    StoreUnavailable,
)
from penchant.domain.event_weights import fold_time, time_bucket
from penchant.domain.exploration import (
    EpsilonGreedy,
    Exploration,
    PlackettLuce,
    Thompson,
    explored_lately,
)
from penchant.domain.limits import (
    Limits,
    check_context,
    check_count,
    check_distinct,
    check_id,
    check_range,
    utf8_size,
)
from penchant.domain.types import Context, Matrix, UserState, Vector
from penchant.domain.window import empty_record
from penchant.encoder.base import Encoders
from penchant.service.attempt import attempt
from penchant.service.clock import Clock
from penchant.service.explain import Explanation, explain
from penchant.service.meter import Meter, top_of
from penchant.service.scoring import ScoredItems, TopK, score_all
from penchant.service.selection import best_of, diverse, explore
from penchant.service.slices import whole
from penchant.service.user_interest import (
    READ_BY_ALL,
    Catalogs,
    UserInContext,
    interest_of,
    repeats_in,
    segments_in,
)
from penchant.store.base import Snapshot, Store
from penchant.store.guarded_store import GuardedStore
from penchant.store.keys import Kind, encode
from penchant.store.newest import read_newest
from penchant.store.owned import read_owned
from penchant.store.remembered_rows import is_remembered
from penchant.store.users import read_user
from penchant.system.step_times import step_began, step_ended

ENCODE_RETRIES = 3
"""Times that queries are encoded again after a change of the encoder; then the call fails."""


@dataclass(frozen=True, slots=True)
class RankRequest:
    """See `penchant.v1.RankRequest`."""

    user: str
    k: int
    candidates: tuple[str, ...] | None = None
    query: str = ""
    context: Context = ()
    exclude_seen: bool = False
    exclude_owned: bool = False
    min_state_version: int = 0
    explain: bool = False
    as_of_us: int | None = None
    explore: Exploration | None = None
    diversity: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """The items of a ranking, in order."""

    recommendation_id: str
    ids: list[str]
    scores: list[float]
    propensities: list[float] | None
    """None: nothing was explored, so each is 1."""
    propensity_estimated: bool
    explorations_left: int
    explanations: list[Explanation] | None
    unknown_candidates: list[str]
    state_version: int
    catalog_version: int
    encoder_version: str
    cold_start: bool
    degraded: bool = False
    """Whether the store was away, and what the process read last stood in for it."""


def check_rank(request: RankRequest, limits: Limits) -> RankRequest:
    """The request; raises InvalidRequest if it breaks the contract."""
    check_id("user", request.user, limits)
    check_range("k", request.k, limits.k)
    if request.candidates is not None:
        _check_candidates(request.candidates, limits)
    if (size := utf8_size(request.query)) > limits.query_bytes:
        raise InvalidRequest(f"query: got {size} bytes, expected at most {limits.query_bytes}")
    if request.query and not request.query.strip():
        raise InvalidRequest("query: got nothing but white space, expected text or no query")
    check_context(InvalidRequest, request.context, limits)
    _check_selection(request)
    if request.as_of_us is not None and not 0 <= request.as_of_us < 2**53:
        raise InvalidRequest(f"as_of_us: got {request.as_of_us}, expected 0 to {2**53 - 1}")
    return request


def _check_candidates(candidates: tuple[str, ...], limits: Limits) -> None:
    check_count("candidates", candidates, limits.candidates, least=0)
    # Characters, not bytes, and no look for control characters: an unknown id does no harm.
    longest = max(map(len, candidates), default=0)
    if longest > limits.id_bytes:
        raise InvalidRequest(
            f"candidates: got an id of {longest} characters, "
            f"expected at most {limits.id_bytes} bytes"
        )
    check_distinct("candidates", candidates)


def _check_selection(request: RankRequest) -> None:
    if not 0 <= request.diversity <= 1:
        raise InvalidRequest(f"diversity: got {request.diversity}, expected 0 to 1")
    if request.explore is None:
        return
    if request.diversity:
        raise InvalidRequest(
            "diversity: got one together with explore, expected one of the two; "
            "the chances of a diverse list are not known"
        )
    match request.explore.policy:
        case PlackettLuce(temperature) if not 1e-6 <= temperature < math.inf:
            raise InvalidRequest(f"explore.temperature: got {temperature}, expected 1e-6 or more")
        case EpsilonGreedy(epsilon) if not 0 <= epsilon <= 1:
            raise InvalidRequest(f"explore.epsilon: got {epsilon}, expected 0 to 1")
        case Thompson(scale) if not 0 < scale <= 1000:
            raise InvalidRequest(f"explore.scale: got {scale}, expected more than 0, at most 1,000")


class _Query(NamedTuple):
    """A text, and the vector space to encode it in."""

    encoder_version: str
    dimensions: int
    text: str


class RankService:
    """Answers rank requests. It only reads, so any number of processes may run one."""

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
        self._last_good = store.last_good if isinstance(store, GuardedStore) else None

    def rank(self, requests: Sequence[RankRequest]) -> list[Ranking | PenchantError]:
        """One ranking or error per request, all from one snapshot.

        Where the store does not answer and what was read last can stand in, that does, and the
        rankings say so.

        Raises:
            StoreUnavailable: the store does not answer, or the catalog's files can't be read.
        """
        if self._last_good is None:
            return self._rank(requests, self._store.snapshot)
        try:
            results = self._rank(requests, self._store.snapshot)
        except StoreUnavailable:
            return self._rank(requests, self._last_good)
        failed = [at for at, one in enumerate(results) if isinstance(one, StoreUnavailable)]
        if failed:
            again = self._rank([requests[at] for at in failed], self._last_good)
            for at, result in zip(failed, again, strict=True):
                results[at] = result
        return results

    def _rank(
        self,
        requests: Sequence[RankRequest],
        begin: Callable[[], AbstractContextManager[Snapshot]],
    ) -> list[Ranking | PenchantError]:
        """The rankings from one snapshot.

        Queries are encoded between two snapshots, since that takes milliseconds. If a release is
        published in between, they are encoded again, so that no ranking mixes two vector spaces.
        """
        queries: dict[_Query, Vector | PenchantError] = {}
        for _ in range(ENCODE_RETRIES + 1):
            with begin() as snapshot:
                snapshot.fetch(_keys(requests))
                offered = self._catalogs.read(snapshot)
                views = [offered.shown_to(request.user) for request in requests]
                wanted = [_query(*pair) for pair in zip(views, requests, strict=True)]
                missing = {query for query in wanted if query is not None} - queries.keys()
                if not missing:
                    vectors = [query and queries[query] for query in wanted]
                    return [
                        vector
                        if isinstance(vector, PenchantError)
                        else attempt(self._rank_one, snapshot, view, request, vector)
                        for view, request, vector in zip(views, requests, vectors, strict=True)
                    ]
            began_ns = step_began()
            queries |= self._encode(sorted(missing))
            step_ended("encode", began_ns)
        raise EncoderUnavailable("query: the encoder is being changed; ask again in a moment")

    def _encode(self, queries: Sequence[_Query]) -> dict[_Query, Vector | PenchantError]:
        """The vectors of queries; the queries of one vector space are encoded together."""
        vectors: dict[_Query, Vector | PenchantError] = {}
        for space in dict.fromkeys((query.encoder_version, query.dimensions) for query in queries):
            some = [query for query in queries if query[:2] == space]
            encoded = attempt(self._encode_in, *space, some)
            if isinstance(encoded, PenchantError):
                vectors |= dict.fromkeys(some, encoded)
            else:
                vectors |= zip(some, encoded, strict=True)
        return vectors

    def _encode_in(self, version: str, dimensions: int, queries: Sequence[_Query]) -> Matrix:
        encoder = self._encoders.of(version, dimensions)
        return encoder.encode([query.text for query in queries])

    def in_slices(self, request: RankRequest) -> Generator[None, None, Ranking]:
        """The ranking of one request without a query; pauses while it is explained."""
        if request.query:
            (result,) = self.rank([request])
            if isinstance(result, PenchantError):
                raise result
            return result
        with self._store.snapshot() as snapshot:
            snapshot.fetch(_keys([request]))
            view = self._catalogs.read(snapshot).shown_to(request.user)
            return (yield from self._rank_slices(snapshot, view, request, None))

    def _rank_one(
        self, snapshot: Snapshot, view: CatalogView, request: RankRequest, query: Vector | None
    ) -> Ranking:
        return whole(self._rank_slices(snapshot, view, request, query))

    def _rank_slices(
        self, snapshot: Snapshot, view: CatalogView, request: RankRequest, query: Vector | None
    ) -> Generator[None, None, Ranking]:
        began_ns = step_began()
        state = read_user(snapshot, request.user) or UserState(empty_record())
        step_ended("read", began_ns)
        _require_version(state, request.min_state_version)
        now_us = self._clock() if request.as_of_us is None else request.as_of_us
        fold_us = now_us
        if request.as_of_us is None:
            fold_us = fold_time(now_us, read_newest(snapshot))
        user = self._user(state, view, request, fold_us)
        began_ns = step_began()
        left_out = []
        if request.exclude_owned:
            left_out.append(read_owned(snapshot, request.user))
        if request.exclude_seen:
            left_out.append(user.window["item"])
        repeats = repeats_in(view, user)
        segments = segments_in(view, user.interest, request.context)
        scored = score_all(
            view, user.interest, query, request.candidates, left_out, repeats, segments
        )
        left = max(0, self._explorations_per_day - explored_lately(user.window, now_us))
        top = _select(view, user, scored, request, may_explore=left > 0)
        step_ended("score", began_ns)
        self._meter.ranked([top_of(top.rows)], int(state.record.state_version == 0))
        degraded = is_remembered(snapshot)
        if degraded:
            self._meter.degraded()
        explanations = None
        if request.explain:
            explanations = yield from explain(snapshot, view, user, top, query)
        return Ranking(
            recommendation_id=os.urandom(12).hex(),
            ids=[view.ids[row] for row in top.rows.tolist()],
            scores=top.scores.tolist(),
            propensities=top.propensities,
            propensity_estimated=top.propensity_estimated,
            explorations_left=left,
            explanations=explanations,
            unknown_candidates=scored.unknown,
            state_version=state.record.state_version,
            catalog_version=view.head.version,
            encoder_version=view.head.encoder_version,
            cold_start=state.record.state_version == 0,
            degraded=degraded,
        )

    def _user(
        self, state: UserState, view: CatalogView, request: RankRequest, fold_us: int
    ) -> UserInContext:
        bucket, context = time_bucket(fold_us, view.settings), as_slots(request.context)
        started, began_ns = time.perf_counter(), step_began()
        interest, folded = interest_of(state, view, bucket, context)
        if folded:
            step_ended("fold", began_ns)
            self._meter.fold(time.perf_counter() - started)
        return UserInContext(request.user, state.record.window, interest, bucket, context)


def _select(
    view: CatalogView,
    user: UserInContext,
    scored: ScoredItems,
    request: RankRequest,
    *,
    may_explore: bool,
) -> TopK:
    if request.explore is not None and may_explore:
        return explore(view, user, scored, request.k, request.explore)
    if request.diversity:
        return diverse(view, scored, request.k, request.diversity)
    return best_of(scored, request.k)


def _keys(requests: Iterable[RankRequest]) -> Iterator[bytes]:
    """The rows that requests need; lazy, since a store on this machine does not look at it."""
    yield from READ_BY_ALL
    for request in requests:
        yield encode(Kind.USER, request.user)
        if request.exclude_owned:
            yield encode(Kind.OWNED, request.user)


def _query(view: CatalogView, request: RankRequest) -> _Query | None:
    """The text to encode for a request; None without a query, or in an empty catalog."""
    if not request.query or view.head.rows == 0:
        return None
    return _Query(view.head.encoder_version, view.head.dimensions, request.query)


def _require_version(state: UserState, least: int) -> None:
    if state.record.state_version < least:
        raise StateBehind(
            f"min_state_version: got {least}, the user's state is at "
            f"{state.record.state_version}; ask again in a moment"
        )
