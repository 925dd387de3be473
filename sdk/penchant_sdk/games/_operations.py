"""The game client's verbs as operations, made of those of `penchant_sdk._operations`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from penchant_sdk import _operations
from penchant_sdk._arguments import UINT32_MAX, text, whole
from penchant_sdk._operations import Operation
from penchant_sdk._times import from_microseconds, to_microseconds
from penchant_sdk.errors import EventIdReused, InvalidRequest, UnknownItem
from penchant_sdk.exploration import Exploration
from penchant_sdk.games._reasons import ListRequest, nameable, reason
from penchant_sdk.games.types import Game, Recommendation, Recommendations, Session
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import (
    Event,
    EventResult,
    EventStatus,
    FeedbackAck,
    Item,
    Ranking,
)

CACHE_GAMES = 20_000
"""Most games that a client keeps in its cache."""


class GameCache:
    """Games already read from one version of the catalogue; thread-safe.

    Lists keep naming the same games. Once those are cached, a list takes one call instead of two.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._items: dict[str, Item] = {}

    def use_version(self, version: int) -> None:
        """Empties the cache if it holds another version, or is full."""
        with self._lock:
            if version != self._version or len(self._items) > CACHE_GAMES:
                self._version, self._items = version, {}

    def put(self, items: Iterable[Item]) -> None:
        """Adds items of the version in use."""
        with self._lock:
            self._items.update((item.id, item) for item in items)

    def missing(self, ids: Iterable[str]) -> list[str]:
        """The ids that are not cached, each once."""
        with self._lock:
            return [id_ for id_ in dict.fromkeys(ids) if id_ not in self._items]

    def item(self, id_: str) -> Item | None:
        """The item, if it is cached."""
        with self._lock:
            return self._items.get(id_)

    def game(self, id_: str) -> Game | None:
        """The game, if it is cached."""
        item = self.item(id_)
        return Game.from_item(item) if item else None


def put_games(games: Iterable[Game]) -> Operation[PutItemsResult]:
    """See `GameClient.put_games`."""
    return _operations.put_items([game.to_item() for game in games])


def recommend(
    cache: GameCache,
    *,
    user: str,
    session: Session,
    k: int,
    more_like: str | None,
    diversity: float,
    explore: Exploration | None,
    seed: int | None,
    exclude_played: bool,
    at: datetime | float | None,
) -> Operation[Recommendations]:
    """See `GameClient.recommend`."""
    if not isinstance(session, Session):
        raise InvalidRequest(f"session: got {session!r}, expected a Session")
    if more_like is not None:
        text("more_like", more_like, empty=True)
    if more_like and explore:
        raise InvalidRequest("explore: got one with more_like, expected one of them or neither")
    query = ""
    if more_like:
        query = yield from _text_of(cache, more_like)
    ranking = yield from _operations.rank(
        user,
        k=whole("k", k, least=1, most=UINT32_MAX - 1) + bool(more_like),
        query=query,
        context=session.context,
        exclude_seen=exclude_played,
        explain=True,
        as_of=at,
        explore=explore,
        seed=seed,
        diversity=diversity,
        exclude_owned=True,
    )
    cache.use_version(ranking.catalog_version)
    yield from _fetch(cache, _named(ranking, more_like or ""))
    when = datetime.now(UTC) if at is None else from_microseconds(to_microseconds(at, "at"))
    return _recommendations(cache, ranking, k, ListRequest(more_like or "", ranking.explored, when))


def _text_of(cache: GameCache, game: str) -> Operation[str]:
    yield from _fetch(cache, [game])
    item = cache.item(game)
    if item is None:
        raise UnknownItem(f"more_like: got {game!r}, which the catalogue does not hold")
    return _operations.clip_query(item.text)


def _fetch(cache: GameCache, ids: Iterable[str]) -> Operation[None]:
    missing = cache.missing(ids)
    if missing:
        result = yield from _operations.get_items(missing)
        cache.put(result.items)


def _named(ranking: Ranking, more_like: str) -> list[str]:
    """Ids of all games named in the list or in its reasons."""
    ids = [*ranking.ids, more_like]
    for item in ranking.items:
        ids += [one.id for one in nameable(item.explanation)]
    return [id_ for id_ in ids if id_]


def _recommendations(
    cache: GameCache, ranking: Ranking, k: int, request: ListRequest
) -> Recommendations:
    listed = [one for one in ranking.items if one.id != request.more_like][:k]
    # Leaves out a game that was deleted between the two calls.
    found = [(one, game) for one in listed if (game := cache.game(one.id)) is not None]
    return Recommendations(
        recommendation_id=ranking.recommendation_id,
        items=tuple(
            Recommendation(
                game=game,
                position=position,
                score=one.score,
                reason=reason(game, one.explanation, request, cache.game),
                propensity=one.propensity,
            )
            for position, (one, game) in enumerate(found, start=1)
        ),
        cold_start=ranking.cold_start,
        explored=ranking.explored,
        propensity_estimated=ranking.propensity_estimated,
    )


def feed_back(events: Sequence[Event]) -> Operation[FeedbackAck]:
    """Sends events; raises the error of the first refused event.

    An event whose id the server knows with other content, such as a second purchase from another
    list, adds nothing and counts as a duplicate.
    """
    ack = yield from _operations.sent_events(events)
    ack = FeedbackAck(tuple(_known(result) for result in ack.results))
    ack.raise_for_refused()
    return ack


def feed_back_one(event: Event) -> Operation[EventResult]:
    """Sends one event; see `feed_back`."""
    ack = yield from feed_back([event])
    return ack.results[0]


def _known(result: EventResult) -> EventResult:
    if result.reason != EventIdReused.reason:
        return result
    return EventResult(result.event_id, result.user, EventStatus.DUPLICATE, result.state_version)
