"""Simulated players with known tastes that change at a known session.

Each player likes two genres; from session `drift_at` on, a new genre replaces one of them. A player
truly likes a game if it has a liked genre. Actions reflect this with noise:

- The player goes through a list from the top and tries at most three games: a liked one with
  probability 0.7, another with probability 0.2. A game not tried is skipped explicitly with
  probability 0.15.
- In each session the player also tries one game found elsewhere, of either liked genre with equal
  probability, and with probability 0.15 one random game.
- A liked game is played for 15 to 120 minutes, reaches a new level with probability 0.4, and is
  rated 4 or 5 stars and bought with probability 0.3 each. Another game is played for at most 5
  minutes, rated 1 star with probability 0.2 and uninstalled with probability 0.4.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError

TRIED = 3
"""Most games of a list that a player tries in one session."""
LEAST_GAMES = 20
"""Fewest games of a genre that can be a taste; a smaller genre would soon be played through."""

Genres = Mapping[str, Sequence[str]]
"""Genres of each game, by its id."""


@dataclass(frozen=True, slots=True)
class Player:
    """A player with a known taste."""

    name: str
    first: tuple[str, str]
    """Liked genres before session `drift_at`."""
    later: tuple[str, str]
    """Liked genres from session `drift_at` on: the first genre of `first` and a new one."""
    drift_at: int
    """Index of the first session with the new taste."""

    def taste(self, session: int) -> tuple[str, str]:
        """The liked genres in a session; sessions count from 0."""
        return self.later if session >= self.drift_at else self.first

    def likes(self, genres: Sequence[str], session: int) -> bool:
        """Whether the player truly likes a game of these genres in a session."""
        return not set(genres).isdisjoint(self.taste(session))


@dataclass(frozen=True, slots=True)
class PlayerAction:
    """One action of a player with a game."""

    signal: str
    """A signal of `penchant.domain.signals.GAMES_SIGNALS`."""
    game: str
    value: float | None = None
    """Minutes for `played`, stars for `rated`, level for `levelled`; None for other signals."""
    found: bool = False
    """Whether the player found the game elsewhere instead of in the list."""


def tastes_of(genres: Genres) -> list[str]:
    """The genres that can be a taste, in alphabetical order.

    Raises:
        ConfigError: fewer than three genres have enough games.
    """
    counts = Counter(genre for own in genres.values() for genre in own)
    tastes = sorted(genre for genre, count in counts.items() if count >= LEAST_GAMES)
    if len(tastes) < 3:
        raise ConfigError(
            f"genres: got {len(tastes)} with {LEAST_GAMES} games or more, expected 3 or more"
        )
    return tastes


def make_players(tastes: Sequence[str], count: int, drift_at: int, seed: int) -> list[Player]:
    """Draws players with three different genres each: one that stays, one that ends, a new one."""
    random = np.random.default_rng(seed)
    players = []
    for number in range(count):
        stays, ends, begins = random.choice(np.array(tastes), 3, replace=False).tolist()
        players.append(Player(f"player-{number}", (stays, ends), (stays, begins), drift_at))
    return players


class World:
    """The games, and how players act on them."""

    def __init__(self, genres: Genres) -> None:
        self.genres = genres
        self.games = list(genres)
        self._of_genre: defaultdict[str, list[str]] = defaultdict(list)
        for game, own in genres.items():
            for genre in own:
                self._of_genre[genre].append(game)

    def liked_share(self, player: Player, listed: Sequence[str], session: int) -> float:
        """The share of a list that the player truly likes, 0 to 1; 0 for an empty list."""
        liked = [player.likes(self.genres[game], session) for game in listed]
        return sum(liked) / len(liked) if liked else 0.0

    def visit(
        self, player: Player, listed: Sequence[str], session: int, random: Generator
    ) -> list[PlayerAction]:
        """Plays one session with a list and returns the player's actions in order."""
        actions: list[PlayerAction] = []
        tried = 0
        for game in listed:
            liked = player.likes(self.genres[game], session)
            if tried < TRIED and random.random() < (0.7 if liked else 0.2):
                tried += 1
                actions += _try(game, liked, random, found=False)
            elif random.random() < 0.15:
                actions.append(PlayerAction("skipped", game))
        genre = str(random.choice(np.array(player.taste(session))))
        game = str(random.choice(np.array(self._of_genre[genre])))
        actions += _try(game, True, random, found=True)
        if random.random() < 0.15:
            game = str(random.choice(np.array(self.games)))
            liked = player.likes(self.genres[game], session)
            actions += _try(game, liked, random, found=True)
        return actions


def _try(game: str, liked: bool, random: Generator, *, found: bool) -> list[PlayerAction]:
    """A player's actions with a game that the player tries."""
    actions = [PlayerAction("started", game, found=found)]
    minutes = random.uniform(15, 120) if liked else random.uniform(0.5, 5)
    actions.append(PlayerAction("played", game, round(minutes, 1), found))
    if liked and random.random() < 0.4:
        actions.append(PlayerAction("levelled", game, float(random.integers(1, 6)), found))
    if random.random() < (0.3 if liked else 0.2):
        actions.append(
            PlayerAction("rated", game, float(random.integers(4, 6) if liked else 1), found)
        )
    if liked and random.random() < 0.3:
        actions.append(PlayerAction("purchased", game, found=found))
    if not liked and random.random() < 0.4:
        actions.append(PlayerAction("uninstalled", game, found=found))
    return actions


Recommend = Callable[[Player, int], Sequence[str]]
"""Returns the list for a player in a session."""
Learn = Callable[[Player, int, Sequence[PlayerAction]], None]
"""Learns from the player's actions in a session."""


@dataclass(frozen=True, slots=True)
class GameRecommender:
    """A recommender that the simulation can play."""

    name: str
    recommend: Recommend
    learn: Learn


def play(
    world: World,
    players: Sequence[Player],
    sessions: int,
    recommender: GameRecommender,
    seed: int,
    on_session: Callable[[int], None] = lambda session: None,
) -> Float64:
    """Plays all sessions of all players with one recommender.

    A player's luck in a session depends on the seed alone, so it is the same for every recommender.

    Args:
        world: the games.
        players: the players.
        sessions: number of sessions.
        recommender: the recommender to play.
        seed: seed of the players' luck.
        on_session: called with the index of each session after it.

    Returns:
        Truly liked share of each list, shape (sessions, players), 0 to 1.
    """
    shares = np.zeros((sessions, len(players)))
    for session in range(sessions):
        for number, player in enumerate(players):
            random = np.random.default_rng((seed, session, number))
            listed = recommender.recommend(player, session)
            shares[session, number] = world.liked_share(player, listed, session)
            recommender.learn(player, session, world.visit(player, listed, session, random))
        on_session(session)
    return shares
