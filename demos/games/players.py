"""Penchant as a recommender in the simulation, through the game client."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from demos.games.games_simulation import GameRecommender, Player, PlayerAction
from penchant_sdk.games import GameClient, PartOfDay, Recommendations, Session, Stars

K = 10
DAY_S = 86_400.0
EVENT_S = 60.0
"""Seconds between two events of a session."""

GAME_SETTINGS: Mapping[str, str] = {
    "signals": "games",
    "context_halvings": "2",
    "fast_weight": "4",
    "offset_weight": "0.1",
    "query_weight": "20",
    "ridge": "2",
}
"""Settings of a server for games, beside store and encoder; docs/clients/games.md explains them."""


def send_action(
    games: GameClient,
    action: PlayerAction,
    *,
    user: str,
    session: Session,
    at_s: float,
    recommendation_id: str = "",
) -> None:
    """Reports a player's action to the server by the client's method for it.

    Args:
        games: client of the server.
        action: the action.
        user: id of the player.
        session: session of the action.
        at_s: epoch seconds of the action.
        recommendation_id: list that the game was found in; empty if it was found elsewhere.

    Raises:
        ValueError: the client has no method for the action's signal.
    """
    value = action.value or 0.0
    match action.signal:
        case "started":
            games.started(
                user=user, game=action.game, session=session, at=at_s,
                recommendation_id=recommendation_id,
            )  # fmt: skip
        case "played":
            games.played(
                user=user, game=action.game, session=session, at=at_s,
                played_for=timedelta(minutes=value), recommendation_id=recommendation_id,
            )  # fmt: skip
        case "levelled":
            games.levelled(
                user=user, game=action.game, session=session, at=at_s,
                level=int(value), recommendation_id=recommendation_id,
            )  # fmt: skip
        case "rated":
            games.rated(
                user=user, game=action.game, session=session, at=at_s,
                stars=cast(Stars, int(value)), recommendation_id=recommendation_id,
            )  # fmt: skip
        case "purchased":
            games.purchased(
                user=user, game=action.game, session=session, at=at_s,
                recommendation_id=recommendation_id,
            )  # fmt: skip
        case "skipped":
            games.skipped(
                user=user, game=action.game, session=session, at=at_s,
                recommendation_id=recommendation_id,
            )  # fmt: skip
        case "uninstalled":
            games.uninstalled(
                user=user, game=action.game, session=session, at=at_s,
                recommendation_id=recommendation_id,
            )  # fmt: skip
        case other:
            raise ValueError(f"signal: got {other!r}, expected one of the game client's")


@dataclass(slots=True)
class GamePlay:
    """Sessions of the players, one a day, the last one today."""

    games: GameClient
    sessions: int
    """Number of sessions of each player."""
    now_s: float = field(default_factory=time.time)
    recommend_s: list[float] = field(default_factory=list)
    """Duration of each recommendation, in seconds."""
    feedback_s: list[float] = field(default_factory=list)
    """Duration of each event's feedback, in seconds."""
    _lists: dict[str, Recommendations] = field(default_factory=dict)

    def recommender(self) -> GameRecommender:
        """Penchant as a recommender that the simulation can play."""
        return GameRecommender("Penchant", self._recommend, self._learn)

    def session(self, number: int) -> Session:
        """The session with this number, in the evening."""
        return Session(f"session-{number}", PartOfDay.EVENING)

    def began_s(self, number: int) -> float:
        """Start of a session in epoch seconds; the last one starts an hour before now."""
        return self.now_s - 3600.0 - (self.sessions - 1 - number) * DAY_S

    def ask(self, player: Player, number: int, diversity: float = 0.0) -> Recommendations:
        """Asks for the list at the beginning of a session."""
        began = time.perf_counter()
        listed = self.games.recommend(
            user=player.name,
            session=self.session(number),
            k=K,
            diversity=diversity,
            exclude_played=True,
            at=self.began_s(number),
        )
        self.recommend_s.append(time.perf_counter() - began)
        return listed

    def _recommend(self, player: Player, number: int) -> Sequence[str]:
        self._lists[player.name] = listed = self.ask(player, number)
        return listed.ids

    def _learn(self, player: Player, number: int, actions: Sequence[PlayerAction]) -> None:
        listed = self._lists[player.name]
        for place, action in enumerate(actions, start=1):
            began = time.perf_counter()
            send_action(
                self.games,
                action,
                user=player.name,
                session=self.session(number),
                at_s=self.began_s(number) + place * EVENT_S,
                recommendation_id="" if action.found else listed.recommendation_id,
            )
            self.feedback_s.append(time.perf_counter() - began)
