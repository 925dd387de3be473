"""Games: a player's session, whose lists follow what is played, and never show what was bought."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from functools import partial

from loadtest.timed_session import LoadWorld, PlayedSession, SessionMaker, TimedCall
from loadtest.traffic import SHOWN, Population, item_text, user_id
from penchant_sdk import Penchant
from penchant_sdk.games import Game, GameClient, Recommendations, Session

_MOST_GAMES = 4
_PURCHASES = 0.2
"""Share of games looked into that are bought."""


def fill(penchant: Penchant, items: int) -> None:
    """Puts games."""
    client = GameClient(penchant)
    games = [Game(f"game-{n}", f"Game {n}", summary=item_text(n)) for n in range(items)]
    client.put_games(games)


def sessions(penchant: Penchant, population: Population, items: int) -> SessionMaker:
    """A list, a few games that are started and played, some bought, and lists between them."""
    client = GameClient(penchant)
    numbers = itertools.count()
    return lambda rng: _play(client, rng, population, next(numbers))


def _play(
    client: GameClient, rng: random.Random, population: Population, number: int
) -> PlayedSession:
    user = user_id(population.users.draw(rng))
    session = Session(f"{user}-{number}-{rng.getrandbits(32):08x}", device="desk")
    recommend = partial(client.recommend, user=user, session=session, k=SHOWN)
    found: Recommendations = yield TimedCall("recommend", recommend)
    for _ in range(rng.randint(1, _MOST_GAMES)):
        if not found.ids:
            return
        shown = partial(client.shown, user=user, recommendations=found, session=session)
        yield TimedCall("shown", shown)
        chosen = rng.choice(found.ids)
        said = {
            "user": user,
            "game": chosen,
            "session": session,
            "recommendation_id": found.recommendation_id,
        }
        yield TimedCall("started", partial(client.started, **said))  # type: ignore[arg-type]  # Of mixed types.
        played_for = timedelta(minutes=rng.randint(1, 90))
        yield TimedCall("played", partial(client.played, played_for=played_for, **said))  # type: ignore[arg-type]  # Of mixed types.
        if rng.random() < _PURCHASES:
            yield TimedCall("purchased", partial(client.purchased, **said))  # type: ignore[arg-type]  # Of mixed types.
        found = yield TimedCall("recommend", recommend)


GAMES = LoadWorld(
    ("signals=games", "context_halvings=2"),
    fill,
    sessions,
    2000,
    {
        "recommend": 150.0,
        "shown": 150.0,
        "started": 150.0,
        "played": 150.0,
        "purchased": 150.0,
    },
)
"""Games that a player can own, in sessions."""
