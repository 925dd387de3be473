"""A player with a settled taste switches to a new genre: the list after each event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from demos.games.games_simulation import Player, World
from demos.games.players import DAY_S, K
from penchant_sdk.games import GameClient, PartOfDay, Recommendations, Session

SESSIONS, GAMES_PER_SESSION = 8, 3
"""Length of the settled taste."""
EVENTS = 3
"""Number of events of the new taste, all in one session."""
PLAYED_FOR = timedelta(minutes=40)


@dataclass(frozen=True, slots=True)
class TasteSwitch:
    """A switch to a new taste, with the lists that accompanied it."""

    player: Player
    played: tuple[str, ...]
    """Games of the new genre that were played, one in each event."""
    lists: tuple[Recommendations, ...]
    """Lists at the beginning of the session and after each event."""

    def shares(self, world: World) -> list[float]:
        """The share of the new genre in each list, 0 to 1."""
        genre = self.player.later[1]
        return [
            sum(genre in world.genres[game] for game in one.ids) / len(one.ids)
            for one in self.lists
        ]


def switch_taste(
    games: GameClient, world: World, player: Player, seed: int, now_s: float
) -> TasteSwitch:
    """Plays games of a settled taste for some days, then three games of a new genre.

    Args:
        games: client of the server.
        world: the games.
        player: a player that the server does not know.
        seed: seed of the games played.
        now_s: epoch seconds; the new taste begins one hour earlier.
    """
    random = np.random.default_rng(seed)
    known: set[str] = set()
    for number in range(SESSIONS):
        session = _session(number)
        at_s = now_s - 3600.0 - (SESSIONS - number) * DAY_S
        for place in range(GAMES_PER_SESSION):
            genre = player.first[int(random.integers(2))]
            game = _draw(world, genre, known, random, without=player.later[1])
            _play(games, player, game, session, at_s + place * 3600.0)
    session, at_s = _session(SESSIONS), now_s - 3600.0
    lists, played = [_ask(games, player, session, at_s)], []
    for place in range(1, EVENTS + 1):
        game = _draw(world, player.later[1], known, random)
        _play(games, player, game, session, at_s + place * 600.0)
        played.append(game)
        lists.append(_ask(games, player, session, at_s + place * 600.0))
    return TasteSwitch(player, tuple(played), tuple(lists))


def _session(number: int) -> Session:
    return Session(f"session-{number}", PartOfDay.EVENING)


def _ask(games: GameClient, player: Player, session: Session, at_s: float) -> Recommendations:
    return games.recommend(user=player.name, session=session, k=K, exclude_played=True, at=at_s)


def _play(games: GameClient, player: Player, game: str, session: Session, at_s: float) -> None:
    games.played(user=player.name, game=game, played_for=PLAYED_FOR, session=session, at=at_s)


def _draw(
    world: World, genre: str, known: set[str], random: np.random.Generator, without: str = ""
) -> str:
    """Draws a game of `genre` that is new to the player and not also of the genre `without`."""
    candidates = [
        game
        for game, genres in world.genres.items()
        if genre in genres and without not in genres and game not in known
    ]
    game = candidates[int(random.integers(len(candidates)))]
    known.add(game)
    return game
