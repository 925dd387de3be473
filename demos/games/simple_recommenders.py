"""Recommenders to compare with: popularity, chance, and one that knows the players' true taste."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from demos.games.games_simulation import GameRecommender, Player, PlayerAction, World

K = 10
GOOD_MINUTES = 15.0
"""Shortest play that counts towards a game's popularity, in minutes."""


def popularity(games: Sequence[str]) -> GameRecommender:
    """Recommends the games that were played in most sessions, except those the player knows."""
    counts: Counter[str] = Counter()
    known: defaultdict[str, set[str]] = defaultdict(set)

    def recommend(player: Player, session: int) -> list[str]:
        unknown = (game for game in games if game not in known[player.name])
        return sorted(unknown, key=lambda game: -counts[game])[:K]

    def learn(player: Player, session: int, actions: Sequence[PlayerAction]) -> None:
        for action in actions:
            known[player.name].add(action.game)
            if action.signal == "played" and (action.value or 0.0) >= GOOD_MINUTES:
                counts[action.game] += 1

    return GameRecommender("popularity", recommend, learn)


def chance(games: Sequence[str], seed: int) -> GameRecommender:
    """Recommends ten random games that the player does not know."""
    random = np.random.default_rng(seed)
    known: defaultdict[str, set[str]] = defaultdict(set)

    def recommend(player: Player, session: int) -> list[str]:
        unknown = [game for game in games if game not in known[player.name]]
        return [unknown[index] for index in random.permutation(len(unknown))[:K]]

    def learn(player: Player, session: int, actions: Sequence[PlayerAction]) -> None:
        known[player.name].update(action.game for action in actions)

    return GameRecommender("chance", recommend, learn)


def truth(world: World) -> GameRecommender:
    """Recommends games that the player truly likes and does not know, as long as there are any."""
    known: defaultdict[str, set[str]] = defaultdict(set)

    def recommend(player: Player, session: int) -> list[str]:
        unknown = [game for game in world.games if game not in known[player.name]]
        return sorted(unknown, key=lambda game: not player.likes(world.genres[game], session))[:K]

    def learn(player: Player, session: int, actions: Sequence[PlayerAction]) -> None:
        known[player.name].update(action.game for action in actions)

    return GameRecommender("the truth", recommend, learn)
