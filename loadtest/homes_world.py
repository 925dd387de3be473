"""Homes: sentences that are read by templates or understood by the encoder, and habits."""

from __future__ import annotations

import random
from functools import partial

from demos.home.home_settings import HOME_SETTINGS
from demos.home.house import house
from loadtest.timed_session import LoadWorld, PlayedSession, SessionMaker, TimedCall
from loadtest.traffic import Population, user_id
from penchant_sdk import Penchant
from penchant_sdk.home import HomeClient, Interpretation

_MOST_SENTENCES = 4
_FREE = 0.3
"""Share of sentences in words of one's own, which need the encoder."""
_COMMANDS = (
    "turn on the ceiling light",
    "turn off the floor lamp",
    "set the bedside lamp to 40 percent",
    "close the curtains",
    "turn on the tower fan",
    "set the thermostat to 21 degrees",
    "is the front door locked",
    "pause the TV",
)
_OWN_WORDS = (
    "it is much too dark in {room}",
    "I can hardly see my book, {number} times over",
    "somebody should let some air into {room}",
    "it got cold in {room} at {number}",
    "we would like to watch something after {number}",
)
_ROOMS = ("living room", "kitchen", "bedroom")


def fill(penchant: Penchant, items: int) -> None:
    """Registers the home; it has its own number of actions, whatever was asked for."""
    _home(penchant)


def sessions(penchant: Penchant, population: Population, items: int) -> SessionMaker:
    """People who say a few sentences, and accept most of what is suggested."""
    client = _home(penchant)
    return lambda rng: _talk(client, rng, population)


def _home(penchant: Penchant) -> HomeClient:
    client = HomeClient(penchant)
    client.register(house("en"))
    return client


def _talk(client: HomeClient, rng: random.Random, population: Population) -> PlayedSession:
    user = user_id(population.users.draw(rng))
    room = rng.choice(_ROOMS)
    for _ in range(rng.randint(1, _MOST_SENTENCES)):
        free = rng.random() < _FREE
        text = rng.choice(_OWN_WORDS if free else _COMMANDS)
        text = text.format(room=room, number=rng.randint(2, 10_000))
        interpret = partial(client.interpret, text, user=user, room=room)
        verb = "interpret, free words" if free else "interpret, command"
        said: Interpretation = yield TimedCall(verb, interpret)
        if said.best is None or not said.recommendation_id:
            continue
        if rng.random() < 0.8:
            yield TimedCall("accepted", partial(client.accepted, said))
        else:
            yield TimedCall("suggested", partial(client.suggested, said))


HOMES = LoadWorld(
    HOME_SETTINGS,
    fill,
    sessions,
    1,
    {"interpret, command": 200.0, "interpret, free words": 400.0, "accepted": 150.0},
)
"""One home with many voices."""
