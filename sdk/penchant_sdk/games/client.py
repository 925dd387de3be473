"""The synchronous game client.

>>> from penchant_sdk.games import Game, GameClient, Session
>>> from penchant_sdk.testing import FakePenchant  # Penchant("localhost:8001") in real life
>>> games = GameClient(FakePenchant(signals="games"))
>>> put = games.put_games([Game("freeciv", "Freeciv"), Game("gnuchess", "GNU Chess")])
>>> session = Session("evening-1")
>>> result = games.purchased(user="ann", game="gnuchess", session=session)
>>> [str(item.game.name) for item in games.recommend(user="ann", session=session).items]
['Freeciv']
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from penchant_sdk._calls import Plan
from penchant_sdk.client import Penchant
from penchant_sdk.exploration import Exploration
from penchant_sdk.games import _events, _plans
from penchant_sdk.games._events import Moment
from penchant_sdk.games.types import Game, Recommendations, Session, Stars
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Event, EventResult, FeedbackAck

T = TypeVar("T")


class GameClient:
    """Recommends games, and is told what players do; safe to share between threads.

    A server for it has the signals of games: `penchant serve --set signals=games`. Every signal
    takes these arguments beside its own:

    - `user`: whose it is; 1 to 256 bytes.
    - `game`: the game's id.
    - `session`: the sitting that it happened in.
    - `recommendation_id`: of the list that led to it; empty: none.
    - `at`: when it happened (a stretch of play: ended), a datetime with a time zone or seconds
      since 1970-01-01 UTC. None: now.

    Each says what became of the event, and each counts once however often it is told. They raise
    `UnknownItem` for a game that the catalogue does not hold, `InvalidEvent` for a wrong argument,
    and as `Penchant` does where the server can't be reached.
    """

    def __init__(self, penchant: Penchant) -> None:
        """Works over a connection, whose deadlines and retries are used."""
        self._penchant = penchant
        self._shelf = _plans.Shelf()

    def put_games(self, games: Iterable[Game]) -> PutItemsResult:
        """Adds or replaces games; when it returns they can be recommended.

        Args:
            games: 1 or more, with distinct ids.
        """
        plan = _plans.put_games(games)
        penchant = self._penchant
        return penchant._driver.run(plan, penchant._bulk(None))

    def recommend(
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
        """The best k games for a player now; never one that the player bought.

        Args:
            user: for whom.
            session: the sitting; what was done in it counts most, where the server's setting
                `context_halvings` is above 0.
            k: how many games, 1 to 999.
            more_like: the id of a game that the list shall be like.
            diversity: how much the games shall differ, 0 (by score alone) to 1 (by difference
                alone). Not together with `explore`.
            explore: draws the list instead, to learn more of the player. Not together with
                `more_like`.
            seed: of what `explore` draws; None: a new one each time.
            exclude_played: leave out all games that the player's recent events are about.
            at: when; None: now.

        Raises:
            UnknownItem: the catalogue does not hold `more_like`.
        """
        plan = _plans.recommend(
            self._shelf,
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
        return self._run(plan)

    def shown(
        self,
        *,
        user: str,
        recommendations: Recommendations,
        session: Session,
        at: datetime | float | None = None,
    ) -> FeedbackAck:
        """The player saw the list. A game that is passed over counts a little against its like."""
        plan = _plans.tell(_events.shown(user, recommendations, session, at))
        return self._run(plan)

    def started(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player opened the game."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.started(moment))

    def played(
        self,
        *,
        user: str,
        game: str,
        played_for: timedelta,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player played for so long, up to `at`."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.played(moment, played_for))

    def levelled(
        self,
        *,
        user: str,
        game: str,
        level: int,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player reached a level of the game."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.levelled(moment, level))

    def purchased(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player bought the game: it is theirs, and in no list of theirs any more."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.purchased(moment))

    def skipped(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player turned the game down."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.skipped(moment))

    def rated(
        self,
        *,
        user: str,
        game: str,
        stars: Stars,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player rated the game."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.rated(moment, stars))

    def uninstalled(
        self,
        *,
        user: str,
        game: str,
        session: Session,
        recommendation_id: str = "",
        at: datetime | float | None = None,
    ) -> EventResult:
        """The player threw the game off."""
        moment = Moment(user, game, session, recommendation_id, at)
        return self._tell(_events.uninstalled(moment))

    def _tell(self, event: Event) -> EventResult:
        return self._run(_plans.tell_one(event))

    def _run(self, plan: Plan[T]) -> T:
        return self._penchant._driver.run(plan, self._penchant._limit(None))
