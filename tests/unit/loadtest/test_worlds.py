"""Every world's sessions run on the server's own code, with the verbs that it promises."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from loadtest.timed_session import LoadWorld
from loadtest.traffic import Population, Zipf
from loadtest.worlds import WORLDS
from penchant_sdk.testing import FakePenchant, FakeServer

ITEMS = 40
POPULATION = Population(Zipf(6, 0.5), Zipf(ITEMS, 0.8))


def fake_of(world: LoadWorld) -> FakePenchant:
    return FakePenchant(
        server=FakeServer(settings=dict(one.split("=", 1) for one in world.settings))
    )


def played(world: LoadWorld, penchant: Any, count: int, seed: int = 1) -> list[tuple[str, Any]]:
    """Verbs and what their calls returned, of some sessions."""
    make = world.sessions(penchant, POPULATION, ITEMS)
    rng = random.Random(seed)
    steps = []
    for _ in range(count):
        session = make(rng)
        step = next(session)
        while True:
            steps.append((step.verb, step.call()))
            try:
                step = session.send(steps[-1][1])
            except StopIteration:
                break
    return steps


@pytest.mark.parametrize("name", WORLDS)
def test_sessions_make_every_verb_that_is_judged(name: str) -> None:
    world = WORLDS[name]
    with fake_of(world) as penchant:
        world.fill(penchant, ITEMS)
        verbs = Counter(verb for verb, _ in played(world, penchant, 25))
    assert set(world.p99_ms) <= set(verbs), verbs


def test_shown_ads_confirm_what_was_reserved() -> None:
    world = WORLDS["ads"]
    with fake_of(world) as penchant:
        world.fill(penchant, ITEMS)
        steps = played(world, penchant, 10)
        decisions = [one for verb, found in steps if verb == "select and reserve" for one in found]
        impressions = [result for verb, result in steps if verb == "impression"]
        assert len(decisions) == len(impressions) > 10


def test_a_game_that_was_bought_is_on_no_later_list() -> None:
    world = WORLDS["games"]
    population = Population(Zipf(1, 1.0), Zipf(ITEMS, 0.8))
    with fake_of(world) as penchant:
        world.fill(penchant, ITEMS)
        make = world.sessions(penchant, population, ITEMS)
        rng, owned = random.Random(3), set()
        for _ in range(10):
            session = make(rng)
            step = next(session)
            while True:
                result = step.call()
                if step.verb == "purchased":
                    owned.add(step.call.keywords["game"])  # type: ignore[attr-defined]  # A partial.
                if step.verb == "recommend":
                    assert not owned & set(result.ids)
                try:
                    step = session.send(result)
                except StopIteration:
                    break
        assert owned


def test_sentences_of_homes_are_understood_or_asked_about() -> None:
    world = WORLDS["homes"]
    with fake_of(world) as penchant:
        world.fill(penchant, 0)
        said = [found for verb, found in played(world, penchant, 20) if "command" in verb]
    assert len(said) > 5
    assert sum(not one.refused for one in said) >= 0.8 * len(said)
