"""Penchant as a recommender agrees with the server's own services."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.neighbours import no_neighbours
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Context, Matrix, Vector
from penchant.evaluation.penchant import PenchantRecommender
from penchant.logs.stream import Stream
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.service.rank import RankRequest
from tests.support.world import World
from tests.unit.evaluation.streams import FIRST_US, HOUR_US, random_stream, stream_of


def served(world: World, stream: Stream, user: int, at_us: int, context: Context = ()) -> Vector:
    request = RankRequest(stream.users[user], k=len(stream.items), as_of_us=at_us, context=context)
    ranking = world.rank(request)
    numbers = {item.id: number for number, item in enumerate(stream.items)}
    scores = np.empty(len(stream.items), np.float32)
    scores[[numbers[id_] for id_ in ranking.ids]] = ranking.scores
    return scores


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scores_equal_those_of_the_services_to_the_last_bit(tmp_path: Path, seed: int) -> None:
    stream = random_stream(seed, events=120)
    world = World(tmp_path)
    world.catalog.put(list(stream.items))
    penchant = PenchantRecommender(world.config, np.array(world.view().vectors))
    penchant.fit(stream, 40)
    for event in stream.events[:40]:
        world.feed(event)
    for position in range(40, 120):
        user, at_us = int(stream.user[position]), int(stream.at_us[position])
        np.testing.assert_array_equal(
            penchant.scores(user, at_us), served(world, stream, user, at_us)
        )
        penchant.learn(position)
        world.feed(stream.events[position])


def test_contexts_count_as_they_do_in_the_services(tmp_path: Path) -> None:
    stream = random_stream(4, events=80)
    rooms = [(("room", ("kitchen", "hall")[number % 2]),) for number in range(80)]
    with_rooms = [
        dataclasses.replace(event, context=room)
        for event, room in zip(stream.events, rooms, strict=True)
    ]
    stream = dataclasses.replace(stream, events=tuple(with_rooms))
    world = World(tmp_path, fold=FoldSettings(context_halvings=3.0))
    world.catalog.put(list(stream.items))
    penchant = PenchantRecommender(world.config, np.array(world.view().vectors))
    penchant.fit(stream, 0)
    for position, event in enumerate(stream.events):
        user, at_us = int(stream.user[position]), int(stream.at_us[position])
        here = penchant.scores(user, at_us, event.context)
        np.testing.assert_array_equal(here, served(world, stream, user, at_us, event.context))
        penchant.learn(position)
        world.feed(event)
    assert (here != penchant.scores(user, at_us, rooms[position - 1])).any()


def vectors_of(count: int) -> Matrix:
    return np.eye(count, 4, dtype=np.float32)


def test_each_refresh_gets_the_text_vectors_and_replaces_the_catalog(tmp_path: Path) -> None:
    calls: list[tuple[int, Matrix]] = []

    def refresh(stream: Stream, until: int, text_vectors: Matrix) -> RefreshedCatalog:
        calls.append((until, text_vectors))
        mean = np.array([1.0, 0.0, 0.0, 0.0])
        return RefreshedCatalog(-text_vectors, np.zeros_like(text_vectors), mean, no_neighbours())

    stream = stream_of([(0, 0), (1, 1)], items=4)
    penchant = PenchantRecommender(World(tmp_path).config, vectors_of(4), refresh)
    penchant.fit(stream, 0)
    cold = penchant.scores(0, FIRST_US)
    assert cold.argmin() == 0  # Its vector points opposite to the mean of the prior.
    penchant.learn(0)
    penchant.fit(stream, 1)
    assert [until for until, _ in calls] == [0, 1]
    np.testing.assert_array_equal(calls[1][1], vectors_of(4))


def test_events_count_once_across_fits(tmp_path: Path) -> None:
    stream = stream_of([(0, 0), (0, 1), (1, 2)], items=4)
    often = PenchantRecommender(World(tmp_path).config, vectors_of(4))
    often.fit(stream, 1)
    often.learn(1)
    often.fit(stream, 2)
    once = PenchantRecommender(World(tmp_path).config, vectors_of(4))
    once.fit(stream, 2)
    at_us = FIRST_US + 5 * HOUR_US
    np.testing.assert_array_equal(often.scores(0, at_us), once.scores(0, at_us))


def test_events_out_of_order_are_refused(tmp_path: Path) -> None:
    penchant = PenchantRecommender(World(tmp_path).config, vectors_of(4))
    stream = stream_of([(0, 0), (0, 1), (1, 2)], items=4)
    penchant.fit(stream, 1)
    with pytest.raises(ValueError, match="position: got 2, expected 1"):
        penchant.learn(2)


def test_vectors_of_other_items_are_refused(tmp_path: Path) -> None:
    penchant = PenchantRecommender(World(tmp_path).config, vectors_of(3))
    stream = stream_of([(0, 0)], items=4)
    with pytest.raises(ConfigError, match="items: got a stream of 4, expected 3"):
        penchant.fit(stream, 0)
