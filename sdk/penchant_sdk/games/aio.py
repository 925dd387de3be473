"""The asynchronous game client.

>>> import asyncio
>>> from penchant_sdk.games import Game, Session
>>> from penchant_sdk.testing import AsyncFakePenchant  # AsyncPenchant("localhost:8001") in use
>>> async def main() -> tuple[str, ...]:
...     games = AsyncGameClient(AsyncFakePenchant(signals="games"))
...     put = await games.put_games([Game("freeciv", "Freeciv"), Game("gnuchess", "GNU Chess")])
...     session = Session("evening-1")
...     result = await games.purchased(user="ann", game="gnuchess", session=session)
...     listed = await games.recommend(user="ann", session=session)
...     return listed.ids
>>> asyncio.run(main())
('freeciv',)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.exploration import Exploration
from penchant_sdk.games import _events, _operations
from penchant_sdk.games._events import Occasion
from penchant_sdk.games.types import Game, Recommendations, Session, Stars
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Event, EventResult, FeedbackAck


class AsyncGameClient:
    """Recommends games and reports what players do.

    Safe to share between tasks of one event loop.

    The server needs the signals of games: `penchant serve --set signals=games`. Besides its own
    arguments, every signal takes these:

    - `user`: the player's id, 1 to 256 bytes.
    - `game`: the game's id.
    - `session`: the session in which it happened.
    - `recommendation_id`: the list that led to it. Empty: none.
    - `at`: time of the event, for a stretch of play its end: a datetime with a time zone, or
      seconds since 1970-01-01 UTC. None: now.

    Every signal returns the status of its event, which counts once however often it is sent. It
    raises `UnknownItem` if the catalogue does not hold the game, `InvalidEvent` for a wrong
    argument, and the errors of `AsyncPenchant`.
    """

    def __init__(self, penchant: AsyncPenchant) -> None:
        """Makes a client over a connection; the connection's timeout and retries apply."""
        self._penchant = penchant
        self._cache = _operations.GameCache()

    async def put_games(self, games: Iterable[Game]) -> PutItemsResult:
        """Adds or replaces games; when it returns, they can be recommended.

        Args:
            games: 1 or more, with distinct ids.
        """
        return await self._penchant.run(_operations.put_games(games), bulk=True)

    async def recommend(
        self,
        *,
        user: str,
        session: Session,
        k: int = 10,
        more_like: str | None = None,
        diversity: float = 0.0,
        explore: Exploration | None = None,
        seed: int | None = None,
        exclude_played: bool = False,
        at: datetime | float | None = None,
    ) -> Recommendations:
        """Recommends the k best games for a player now, without those that the player bought.

        Args:
            user: the player's id, 1 to 256 bytes.
            session: the player's session. Events in it count most if the server's setting
                `context_halvings` is above 0.
            k: number of games, 1 to 999.
            more_like: id of a game that the list should resemble. None: no such game.
            diversity: how much the games should differ, from 0 (by score alone) to 1 (by difference
                alone). Cannot be combined with `explore`.
            explore: policy that draws the list at random, to learn more about the player. Cannot be
                combined with `more_like`.
            seed: makes an exploration repeatable. None: a new seed for each call.
            exclude_played: leave out all games that occur in the player's recent events.
            at: time of the list. None: now.

        Raises:
            UnknownItem: the catalogue does not hold `more_like`.
        """
        operation = _operations.recommend(
            self._cache,
            user=user,
            session=session,
            k=k,
            more_like=more_like,
            diversity=diversity,
            explore=explore,
            seed=seed,
            exclude_played=exclude_played,
            at=at,
        )
        return await self._penchant.run(operation)

    async def shown(
        self,
        *,
        user: str,
        recommendations: Recommendations,
        session: Session,
        at: datetime | float | None = None,
    ) -> FeedbackAck:
        """The player saw the list; a game that the player passes over loses a little."""
        events = _events.shown(user, recommendations, session, at)
        return await self._penchant.run(_operations.feed_back(events))

    async def started(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player opened the game."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.started(occasion))

    async def played(
        self,
        *,
        user: str,
        game: str,
        played_for: timedelta,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player played the game for `played_for`, until `at`."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.played(occasion, played_for))

    async def levelled(
        self,
        *,
        user: str,
        game: str,
        level: int,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player reached a level in the game."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.levelled(occasion, level))

    async def purchased(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player bought the game; it leaves all of the player's lists."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.purchased(occasion))

    async def skipped(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player rejected the game."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.skipped(occasion))

    async def rated(
        self,
        *,
        user: str,
        game: str,
        stars: Stars,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player rated the game, 1 to 5 stars."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.rated(occasion, stars))

    async def uninstalled(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player uninstalled the game."""
        occasion = Occasion(user, game, session, recommendation_id, at)
        return await self._feed_back(_events.uninstalled(occasion))

    async def _feed_back(self, event: Event) -> EventResult:
        return await self._penchant.run(_operations.feed_back_one(event))
