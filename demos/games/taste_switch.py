"""A player with a settled taste turns to a new one: what the list says after each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from demos.games.games_simulation import Player, World
from demos.games.players import DAY_S, K
from penchant_sdk.games import GameClient, PartOfDay, Recommendations, Session

SESSIONS, GAMES_A_SESSION = 8, 3
"""Of the settled taste."""
EVENTS = 3
"""Of the new one, in one session."""
PLAYED_FOR = timedelta(minutes=40)


@dataclass(frozen=True, slots=True)
class Switch:
    """One turn to a new taste."""

    player: Player
    played: tuple[str, ...]
    """The games of the new taste that were played, one an event."""
    lists: tuple[Recommendations, ...]
    """At the beginning of the session, and after each event."""

    def shares(self, world: World) -> list[float]:
        """The share of each list that is of the new kind."""
        kind = self.player.later[1]
        return [
            sum(kind in world.genres[game] for game in one.ids) / len(one.ids) for one in self.lists
        ]


def turn(games: GameClient, world: World, player: Player, seed: int, now_s: float) -> Switch:
    """Plays a settled taste for some days, and then three games of a new kind.

    Args:
        games: the server's client.
        world: the games.
        player: unknown to the server.
        seed: of the games that are played.
        now_s: epoch seconds; the new taste begins an hour before.
    """
    random = np.random.default_rng(seed)
    known: set[str] = set()
    for number in range(SESSIONS):
        session = _session(number)
        at_s = now_s - 3600.0 - (SESSIONS - number) * DAY_S
        for place in range(GAMES_A_SESSION):
            kind = player.first[int(random.integers(2))]
            game = _draw(world, kind, known, random, without=player.later[1])
            _play(games, player, game, session, at_s + place * 3600.0)
    session, at_s = _session(SESSIONS), now_s - 3600.0
    lists, played = [_ask(games, player, session, at_s)], []
    for place in range(1, EVENTS + 1):
        game = _draw(world, player.later[1], known, random)
        _play(games, player, game, session, at_s + place * 600.0)
        played.append(game)
        lists.append(_ask(games, player, session, at_s + place * 600.0))
    return Switch(player, tuple(played), tuple(lists))


def _session(number: int) -> Session:
    return Session(f"session-{number}", PartOfDay.EVENING)


def _ask(games: GameClient, player: Player, session: Session, at_s: float) -> Recommendations:
    return games.recommend(user=player.name, session=session, k=K, exclude_played=True, at=at_s)


def _play(games: GameClient, player: Player, game: str, session: Session, at_s: float) -> None:
    games.played(user=player.name, game=game, played_for=PLAYED_FOR, session=session, at=at_s)


def _draw(
    world: World, kind: str, known: set[str], random: np.random.Generator, without: str = ""
) -> str:
    """A game of a kind that the player does not know, and that is not of another kind."""
    fit: Sequence[str] = [
        game
        for game, kinds in world.genres.items()
        if kind in kinds and without not in kinds and game not in known
    ]
    game = fit[int(random.integers(len(fit)))]
    known.add(game)
    return game
