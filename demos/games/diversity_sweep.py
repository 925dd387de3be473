"""What the knob of diversity costs and brings: the same players, asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demos.games.games_simulation import Player, World
from demos.games.players import GamePlay

KNOB = (0.0, 0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True, slots=True)
class Turned:
    """All players' lists at one place of the knob."""

    diversity: float
    liked: float
    """The share of the lists that is truly liked, 0 to 1."""
    kinds: float
    """Different kinds in a list."""
    lists: tuple[tuple[str, ...], ...]
    """Ids, one list a player."""


def turn_knob(
    game_play: GamePlay, world: World, players: Sequence[Player], session: int
) -> list[Turned]:
    """Asks for every player's list at each place of the knob; nothing is learnt from it."""
    turned = []
    for diversity in KNOB:
        lists = [game_play.ask(player, session, diversity).ids for player in players]
        liked = [
            world.liked_share(player, listed, session)
            for player, listed in zip(players, lists, strict=True)
        ]
        kinds = [len({kind for game in listed for kind in world.genres[game]}) for listed in lists]
        mean = (sum(liked) / len(liked), sum(kinds) / len(kinds))
        turned.append(Turned(diversity, *mean, tuple(lists)))
    return turned
