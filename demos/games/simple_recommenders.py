"""What else could recommend games: popularity, chance, and somebody who knows the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from demos.games.games_simulation import GameRecommender, Player, PlayerAction, World

K = 10
GOOD_MINUTES = 15.0
"""A game that was played so long counts as played by somebody."""


def popularity(games: Sequence[str]) -> GameRecommender:
    """The games that the most sessions went to, without those that the player knows."""
    counts: Counter[str] = Counter()
    known: defaultdict[str, set[str]] = defaultdict(set)

    def recommend(player: Player, session: int) -> list[str]:
        unknown = (game for game in games if game not in known[player.name])
        return sorted(unknown, key=lambda game: -counts[game])[:K]

    def learn(player: Player, session: int, acts: Sequence[PlayerAction]) -> None:
        for act in acts:
            known[player.name].add(act.game)
            if act.signal == "played" and (act.value or 0.0) >= GOOD_MINUTES:
                counts[act.game] += 1

    return GameRecommender("popularity", recommend, learn)


def chance(games: Sequence[str], seed: int) -> GameRecommender:
    """Any ten games that the player does not know."""
    random = np.random.default_rng(seed)
    known: defaultdict[str, set[str]] = defaultdict(set)

    def recommend(player: Player, session: int) -> list[str]:
        unknown = [game for game in games if game not in known[player.name]]
        return [unknown[place] for place in random.permutation(len(unknown))[:K]]

    def learn(player: Player, session: int, acts: Sequence[PlayerAction]) -> None:
        known[player.name].update(act.game for act in acts)

    return GameRecommender("chance", recommend, learn)


def truth(world: World) -> GameRecommender:
    """Games that are truly liked, as long as there are some that the player does not know."""
    known: defaultdict[str, set[str]] = defaultdict(set)

    def recommend(player: Player, session: int) -> list[str]:
        unknown = [game for game in world.games if game not in known[player.name]]
        return sorted(unknown, key=lambda game: not player.likes(world.genres[game], session))[:K]

    def learn(player: Player, session: int, acts: Sequence[PlayerAction]) -> None:
        known[player.name].update(act.game for act in acts)

    return GameRecommender("the truth", recommend, learn)
