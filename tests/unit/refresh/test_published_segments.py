"""Popularity by segment from a refresh to the score: published, explained, faded, replayed."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.domain.types import Context, Event
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_memory import RefreshMemory
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.rank import Ranking, RankRequest
from tests.support.segment_logs import COUNTRIES, ITEMS, drawn, stream_of_rows
from tests.support.world import World

BATCH = 200
OWN = ITEMS // len(COUNTRIES)
ROWS = drawn(users=400)


def in_country(country: str) -> Context:
    return (("country", country), ("device", "phone"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("segments"))
    world.put(**{f"i{number}": f"item {number}" for number in range(ITEMS)})
    events = list(stream_of_rows(ROWS).events)
    for start in range(0, len(events), BATCH):
        world.feed(*events[start : start + BATCH])
    refresh_store(world.store, world.directory, world.config, RefreshSettings())
    return world


def scores(ranking: Ranking) -> dict[str, float]:
    return dict(zip(ranking.ids, ranking.scores, strict=True))


def share_of_own(ranking: Ranking, country: str) -> float:
    place = COUNTRIES.index(country)
    return float(np.mean([int(id_[1:]) // OWN == place for id_ in ranking.ids]))


def test_a_stranger_sees_what_people_like_them_like(world: World) -> None:
    for country in COUNTRIES:
        ranking = world.rank(RankRequest("stranger", 10, context=in_country(country)))
        assert share_of_own(ranking, country) >= 0.9


def test_a_context_that_nobody_had_changes_nothing(world: World) -> None:
    """Among them a value of another key, and a country with few users."""
    plain = world.rank(RankRequest("stranger", ITEMS))
    for context in ((("country", "va"),), (("device", "de"),)):
        assert scores(world.rank(RankRequest("stranger", ITEMS, context=context))) == scores(plain)


def test_the_parts_sum_to_the_score_with_segments(world: World) -> None:
    context = in_country("de")
    everything = world.rank(RankRequest("stranger", ITEMS, context=context, explain=True))
    some = RankRequest("stranger", 3, candidates=("i3", "i0", "i21"), context=context, explain=True)
    whole = scores(everything)
    for ranking in (everything, world.rank(some)):
        assert ranking.explanations is not None
        for id_, score, why in zip(ranking.ids, ranking.scores, ranking.explanations, strict=True):
            total = why.offset + why.slow + why.fast + why.near + why.repeat + why.query
            assert total == pytest.approx(score, rel=1e-5, abs=1e-4)
            assert score == pytest.approx(whole[id_], rel=1e-5, abs=1e-4)


def test_segments_fade_as_the_users_own_events_come(world: World) -> None:
    """Down to nothing: who has events enough is ranked alike wherever they are."""
    gaps = []
    for place in range(0, 37, 6):
        now_us, user = world.now_us, "settles"
        if place:
            world.feed(
                *(
                    Event(f"s{one}", user, f"i{one % ITEMS}", "like", None, now_us - one)
                    for one in range(place - 6, place)
                )
            )
        here, there = (
            scores(world.rank(RankRequest(user, ITEMS, context=in_country(country))))
            for country in ("de", "jp")
        )
        gaps.append(max(abs(here[id_] - there[id_]) for id_ in here))
    assert gaps[0] > 1
    assert gaps[-1] == 0
    assert gaps == sorted(gaps, reverse=True)


def test_a_replay_scores_segments_as_the_server_does(world: World) -> None:
    """The part of the context, which is the difference to a ranking without one, is the same."""
    stream = stream_of_rows(ROWS)
    recommender = PenchantRecommender(
        world.config, np.array(world.view().texts), middle_clock(RefreshSettings(), world.config)
    )
    recommender.fit(stream, len(stream.events))
    at_us = int(stream.at_us[-1])
    for country in COUNTRIES:
        context = in_country(country)
        replayed = recommender.scores(99_999, at_us, context) - recommender.scores(99_999, at_us)
        here, plain = (
            scores(world.rank(RankRequest("stranger", ITEMS, context=one, as_of_us=at_us)))
            for one in (context, ())
        )
        served = [here[f"i{number}"] - plain[f"i{number}"] for number in range(ITEMS)]
        np.testing.assert_allclose(replayed, served, atol=1e-4)


def test_a_process_that_remembers_the_log_learns_the_same(world: World) -> None:
    refresh_store(world.store, world.directory, world.config, RefreshSettings())
    before, memory = world.view().frozen.segments, RefreshMemory()
    assert before
    for _ in range(2):
        refresh_store(world.store, world.directory, world.config, RefreshSettings(), memory=memory)
        assert world.view().frozen.segments.same_as(before)
