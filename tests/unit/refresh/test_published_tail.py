"""Weights of items with few events from a refresh to the score: published, explained, replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.domain.long_tail import tail_share
from penchant.domain.types import Event
from penchant.evaluation.penchant import PenchantRecommender
from penchant.logs.stream import Stream, outcomes_before
from penchant.refresh.item_vectors import RefreshedCatalog, fit_item_vectors
from penchant.refresh.learnt_weights import LearntWeights
from penchant.refresh.prepared_refresh import publish_refreshed
from penchant.refresh.refresh_input import read_refresh_input
from penchant.service.rank import Ranking, RankRequest
from penchant.store.refresh_note import RefreshNote
from tests.support.segment_logs import ITEMS, drawn, stream_of_rows
from tests.support.world import World

ROWS = drawn(users=60)
WEIGHTS = LearntWeights(
    settings={"offset_weight": 0.5, "tail_offset_weight": 2.0, "tail_lift": 1.5}, tail=(0.0, 0.1)
)
BATCH = 100


def stream() -> Stream:
    return stream_of_rows(ROWS, with_context=False)


def refreshed(texts: np.ndarray) -> RefreshedCatalog:  # type: ignore[type-arg]  # float32.
    log = stream()
    return fit_item_vectors(outcomes_before(log, len(log.events)), texts, learnt=WEIGHTS)


def publish(world: World) -> None:
    with world.store.snapshot() as snapshot:
        source = read_refresh_input(snapshot, world.config)
    fresh = fit_item_vectors(source.events, source.texts, learnt=WEIGHTS)
    note = RefreshNote(0.0, 0.0, 1, 1, elsewhere=False, learnt="")
    publish_refreshed(world.store, world.directory, world.config, source, fresh, note)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put(**{f"i{number}": f"item {number}" for number in range(ITEMS)})
    events: list[Event] = list(stream().events)
    for start in range(0, len(events), BATCH):
        world.feed(*events[start : start + BATCH])
    publish(world)
    return world


def scores(ranking: Ranking) -> list[float]:
    by_id = dict(zip(ranking.ids, ranking.scores, strict=True))
    return [by_id[f"i{number}"] for number in range(ITEMS)]


def test_the_weight_of_an_items_popularity_falls_with_its_events(world: World) -> None:
    view = world.view()
    log = stream()
    tail = tail_share(np.bincount(log.item, minlength=ITEMS))
    numbers = [int(item.id[1:]) for item in log.items]
    by_number = np.ones(ITEMS, np.float32)
    by_number[numbers] = tail[: len(numbers)]
    np.testing.assert_allclose(view.offset_weights, 0.5 + 2 * by_number, rtol=1e-6)
    np.testing.assert_allclose(view.popularity, 1.5 * by_number, rtol=1e-6)


def test_an_item_put_since_weighs_as_one_without_events(world: World) -> None:
    world.put(new="something new")
    view = world.view()
    assert float(view.offset_weights[-1]) == 2.5
    assert float(view.popularity[-1]) == 1.5


def offset_of_new(world: World, user: str) -> float:
    ranking = world.rank(RankRequest(user, 2, candidates=("new", "i0"), explain=True))
    by_id = dict(zip(ranking.ids, ranking.explanations or [], strict=True))
    return by_id["new"].offset


def test_a_stranger_sees_rare_items_where_popularity_puts_them(world: World) -> None:
    world.put(new="something new")
    live, after_three_events = float(world.view().offsets[-1]), 0.5
    assert offset_of_new(world, "stranger") == pytest.approx(0.5 * live, abs=1e-6)
    expected = 0.5 * live + after_three_events * (2 * live + 1.5)
    assert offset_of_new(world, "u3") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("user", ["u3", "stranger"])
def test_the_parts_sum_to_the_score(world: World, user: str) -> None:
    world.put(new="something new")
    for request in (
        RankRequest(user, ITEMS + 1, explain=True),
        RankRequest(user, 3, candidates=("new", "i0", "i21"), explain=True),
    ):
        ranking = world.rank(request)
        for score, why in zip(ranking.scores, ranking.explanations or [], strict=True):
            total = why.offset + why.slow + why.fast + why.near + why.repeat + why.query
            assert total == pytest.approx(score, rel=1e-5, abs=1e-4)


def test_a_replay_scores_as_the_server_does(world: World) -> None:
    log = stream()
    texts = np.array(world.view().texts)
    replayed = PenchantRecommender(world.config, texts, lambda *_: refreshed(texts))
    replayed.fit(log, len(log.events))
    at_us = int(log.at_us[-1])
    request = RankRequest(log.users[3], ITEMS, as_of_us=at_us)
    there = replayed.scores(3, at_us)
    by_number = {item.id: row for row, item in enumerate(log.items)}
    expected = [there[by_number[f"i{number}"]] for number in range(ITEMS)]
    np.testing.assert_allclose(scores(world.rank(request)), expected, atol=1e-4)
