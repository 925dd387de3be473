"""What a game client asks, as plans over the plans of `penchant_sdk._calls`: no I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from penchant_sdk import _calls
from penchant_sdk._calls import Plan
from penchant_sdk.errors import EventIdReused, InvalidRequest, UnknownItem
from penchant_sdk.exploration import Exploration
from penchant_sdk.games._reasons import Asked, nameable, reason
from penchant_sdk.games.types import Game, Recommendation, Recommendations, Session
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import (
    Event,
    EventResult,
    EventStatus,
    FeedbackAck,
    Item,
    Ranking,
    from_microseconds,
    to_microseconds,
)

QUERY_BYTES = 2_048
"""The most that a query holds."""
SHELF_GAMES = 20_000
"""Games that a client keeps at most."""


class Shelf:
    """Games that were read for one version of the catalogue; safe in threads.

    Lists name the same games again and again: read once, a list takes one call instead of two.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._items: dict[str, Item] = {}

    def turn_to(self, version: int) -> None:
        """Forgets what is not of this version, and everything where the shelf is full."""
        with self._lock:
            if version != self._version or len(self._items) > SHELF_GAMES:
                self._version, self._items = version, {}

    def put(self, items: Iterable[Item]) -> None:
        """Keeps items of the version that was turned to last."""
        with self._lock:
            self._items.update((item.id, item) for item in items)

    def missing(self, ids: Iterable[str]) -> list[str]:
        """Which of these are not here, each once."""
        with self._lock:
            return [id_ for id_ in dict.fromkeys(ids) if id_ not in self._items]

    def item(self, id_: str) -> Item | None:
        """The item, if it is here."""
        with self._lock:
            return self._items.get(id_)

    def game(self, id_: str) -> Game | None:
        """The game, if it is here."""
        item = self.item(id_)
        return Game.from_item(item) if item else None


def put_games(games: Iterable[Game]) -> Plan[PutItemsResult]:
    """See `GameClient.put_games`."""
    return _calls.put_items([game.to_item() for game in games])


def recommend(
    shelf: Shelf,
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
) -> Plan[Recommendations]:
    """See `GameClient.recommend`."""
    if not isinstance(session, Session):
        raise InvalidRequest(f"session: got {session!r}, expected a Session")
    if more_like and explore:
        raise InvalidRequest("explore: not together with more_like, whose game is left out after")
    query = ""
    if more_like:
        query = yield from _text_of(shelf, more_like)
    ranking = yield from _calls.rank(
        user,
        k=k + bool(more_like),
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
    shelf.turn_to(ranking.catalog_version)
    yield from _fetch(shelf, _named(ranking, more_like or ""))
    when = datetime.now(UTC) if at is None else from_microseconds(to_microseconds(at, "at"))
    return _recommendations(shelf, ranking, k, Asked(more_like or "", ranking.explored, when))


def _text_of(shelf: Shelf, game: str) -> Plan[str]:
    yield from _fetch(shelf, [game])
    item = shelf.item(game)
    if item is None:
        raise UnknownItem(f"more_like: got {game!r}, which the catalogue does not hold")
    return item.text.encode()[:QUERY_BYTES].decode(errors="ignore")


def _fetch(shelf: Shelf, ids: Iterable[str]) -> Plan[None]:
    missing = shelf.missing(ids)
    if missing:
        result = yield from _calls.get_items(missing)
        shelf.put(result.items)


def _named(ranking: Ranking, more_like: str) -> list[str]:
    """All games that the list and its reasons name."""
    ids = [*ranking.ids, more_like]
    for item in ranking.items:
        ids += [one.item for one in nameable(item.explanation)]
    return [id_ for id_ in ids if id_]


def _recommendations(shelf: Shelf, ranking: Ranking, k: int, asked: Asked) -> Recommendations:
    listed = [one for one in ranking.items if one.id != asked.more_like][:k]
    # One that was deleted between the two calls is left out.
    found = [(one, game) for one in listed if (game := shelf.game(one.id)) is not None]
    return Recommendations(
        recommendation_id=ranking.recommendation_id,
        items=tuple(
            Recommendation(
                game=game,
                position=position,
                score=one.score,
                reason=reason(game, one.explanation, asked, shelf.game),
                propensity=one.propensity,
            )
            for position, (one, game) in enumerate(found, start=1)
        ),
        cold_start=ranking.cold_start,
        explored=ranking.explored,
        propensity_estimated=ranking.propensity_estimated,
    )


def tell(events: Sequence[Event]) -> Plan[FeedbackAck]:
    """Feeds events back; raises for the first that is refused.

    One whose id is known with other content (bought again from another list) says nothing new, and
    is a duplicate.
    """
    ack = yield from _calls.feedback(events)
    ack = FeedbackAck(tuple(_known(result) for result in ack.results))
    ack.raise_for_refused()
    return ack


def tell_one(event: Event) -> Plan[EventResult]:
    """`tell` for one event."""
    ack = yield from tell([event])
    return ack.results[0]


def _known(result: EventResult) -> EventResult:
    if result.reason != EventIdReused.reason:
        return result
    return EventResult(result.event_id, result.user, EventStatus.DUPLICATE, result.state_version)
