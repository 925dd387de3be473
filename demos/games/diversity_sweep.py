"""The effect of diversity: the same players' lists at several values of `diversity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demos.games.games_simulation import Player, World
from demos.games.players import GamePlay

DIVERSITIES = (0.0, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class DiversityPoint:
    """The lists of all players at one diversity."""

    diversity: float
    liked: float
    """Truly liked share of a list, averaged over the players, 0 to 1."""
    genres: float
    """Number of different genres in a list, averaged over the players."""
    lists: tuple[tuple[str, ...], ...]
    """Ids of the games in each player's list."""


def sweep_diversity(
    game_play: GamePlay, world: World, players: Sequence[Player], session: int
) -> list[DiversityPoint]:
    """Asks for every player's list at each diversity; the server learns nothing from this."""
    points = []
    for diversity in DIVERSITIES:
        lists = [game_play.ask(player, session, diversity).ids for player in players]
        liked = [
            world.liked_share(player, listed, session)
            for player, listed in zip(players, lists, strict=True)
        ]
        genres = [len({one for game in listed for one in world.genres[game]}) for listed in lists]
        means = (sum(liked) / len(liked), sum(genres) / len(genres))
        points.append(DiversityPoint(diversity, *means, tuple(lists)))
    return points
