"""Players of games with stated tastes that drift, seeded.

Each player likes two kinds of games (genres) and from a stated session on one of them and a new
one. A game is truly liked where it is of a liked kind; what a player does says so with noise:

- Of a list of ten the player tries at most three, from the top: a game that is truly liked with
  chance 0.7, another with chance 0.2; one that is passed over is turned down with chance 0.15.
- In each session the player also tries one game of a liked kind that was found elsewhere, the
  liked kinds in equal parts, and with chance 0.15 any game.
- A game that is truly liked is played for 15 to 120 minutes, sometimes to a new level, bought with
  chance 0.3 and rated 4 or 5 stars with chance 0.3. Another is played for up to 5 minutes, thrown
  off with chance 0.4 and rated 1 or 2 stars with chance 0.2.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from penchant.domain.errors import ConfigError

TRIED = 3
LEAST_GAMES = 20
"""A kind with fewer games is nobody's taste: it would soon be played through."""

Genres = Mapping[str, Sequence[str]]
"""Game to its kinds."""


@dataclass(frozen=True, slots=True)
class Player:
    """Somebody with a stated taste."""

    name: str
    first: tuple[str, str]
    """The kinds that are liked at first."""
    later: tuple[str, str]
    """The kinds that are liked from session `drift_at` on: the first of `first`, and a new one."""
    drift_at: int

    def taste(self, session: int) -> tuple[str, str]:
        """The kinds that are liked in a session, from 0."""
        return self.later if session >= self.drift_at else self.first

    def likes(self, genres: Sequence[str], session: int) -> bool:
        """The truth: whether a game of these kinds is liked in a session."""
        return not set(genres).isdisjoint(self.taste(session))


@dataclass(frozen=True, slots=True)
class PlayerAction:
    """Something that a player did with a game."""

    signal: str
    """A signal of `penchant.domain.signals.GAMES_SIGNALS`."""
    game: str
    value: float | None = None
    """Minutes of `played`, stars of `rated`, the level of `levelled`."""
    found: bool = False
    """Whether the game was found elsewhere, and not in the list."""


def tastes_of(genres: Genres) -> list[str]:
    """The kinds that can be a taste, by name.

    Raises:
        ConfigError: there are fewer than three.
    """
    counts = Counter(genre for kinds in genres.values() for genre in kinds)
    tastes = sorted(genre for genre, count in counts.items() if count >= LEAST_GAMES)
    if len(tastes) < 3:
        raise ConfigError(
            f"genres: got {len(tastes)} with {LEAST_GAMES} games or more, expected 3 or more"
        )
    return tastes


def make_players(tastes: Sequence[str], count: int, drift_at: int, seed: int) -> list[Player]:
    """Players whose three kinds are drawn at random."""
    random = np.random.default_rng(seed)
    players = []
    for number in range(count):
        stays, ends, begins = random.choice(np.array(tastes), 3, replace=False).tolist()
        players.append(Player(f"player-{number}", (stays, ends), (stays, begins), drift_at))
    return players


class World:
    """The games, and what players do with them."""

    def __init__(self, genres: Genres) -> None:
        self.genres = genres
        self.games = list(genres)
        self._of_kind: defaultdict[str, list[str]] = defaultdict(list)
        for game, kinds in genres.items():
            for kind in kinds:
                self._of_kind[kind].append(game)

    def liked_share(self, player: Player, listed: Sequence[str], session: int) -> float:
        """Which share of a list is truly liked; 0 for an empty list."""
        liked = [player.likes(self.genres[game], session) for game in listed]
        return sum(liked) / len(liked) if liked else 0.0

    def visit(
        self, player: Player, listed: Sequence[str], session: int, random: Generator
    ) -> list[PlayerAction]:
        """What a player does in one session with a list and beside it."""
        acts: list[PlayerAction] = []
        tried = 0
        for game in listed:
            liked = player.likes(self.genres[game], session)
            if tried < TRIED and random.random() < (0.7 if liked else 0.2):
                tried += 1
                acts += _try(game, liked, random, found=False)
            elif random.random() < 0.15:
                acts.append(PlayerAction("skipped", game))
        kind = str(random.choice(np.array(player.taste(session))))
        game = str(random.choice(np.array(self._of_kind[kind])))
        acts += _try(game, True, random, found=True)
        if random.random() < 0.15:
            game = str(random.choice(np.array(self.games)))
            liked = player.likes(self.genres[game], session)
            acts += _try(game, liked, random, found=True)
        return acts


def _try(game: str, liked: bool, random: Generator, *, found: bool) -> list[PlayerAction]:
    acts = [PlayerAction("started", game, found=found)]
    minutes = random.uniform(15, 120) if liked else random.uniform(0.5, 5)
    acts.append(PlayerAction("played", game, round(minutes, 1), found))
    if liked and random.random() < 0.4:
        acts.append(PlayerAction("levelled", game, float(random.integers(1, 6)), found))
    if random.random() < (0.3 if liked else 0.2):
        acts.append(
            PlayerAction("rated", game, float(random.integers(4, 6) if liked else 1), found)
        )
    if liked and random.random() < 0.3:
        acts.append(PlayerAction("purchased", game, found=found))
    if not liked and random.random() < 0.4:
        acts.append(PlayerAction("uninstalled", game, found=found))
    return acts


Recommend = Callable[[Player, int], Sequence[str]]
"""The list for a player in a session."""
Learn = Callable[[Player, int, Sequence[PlayerAction]], None]
"""Is told what the player did in it."""


@dataclass(frozen=True, slots=True)
class GameRecommender:
    """Anything that recommends games and learns."""

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
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """All sessions of all players; the share of each list that is truly liked.

    The luck of a player in a session is the same whoever recommends.

    Returns:
        Shape (sessions, players), 0 to 1.
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
