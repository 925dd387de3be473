"""Every updater through the services: selected by its setting, visible in the next ranking."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.settings import FoldSettings
from penchant.domain.updaters import UPDATERS
from penchant.service.event_results import EventStatus
from penchant.service.rank import RankRequest
from penchant.service.user_interest import interest_of
from tests.support.histories import FILMS
from tests.support.world import World, liked


@pytest.fixture(params=UPDATERS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    world = World(tmp_path, fold=FoldSettings(updater=request.param, ridge=1.0, catalog_weight=1.0))
    world.put(**FILMS)
    return world


def slow_part(world: World, film: str) -> float:
    ranking = world.rank(RankRequest("u", 1, (film,), explain=True))
    assert ranking.explanations is not None
    return ranking.explanations[0].slow


def test_the_next_ranking_follows_and_a_repeated_event_changes_nothing(world: World) -> None:
    for film in ("alien", "babe"):
        like, before = liked(f"like-{film}", film), slow_part(world, film)
        world.feed(like)
        after = slow_part(world, film)
        assert after > before
        record = world.record_bytes("u")
        (again,) = world.feed(like)
        assert again.status is EventStatus.DUPLICATE
        assert world.record_bytes("u") == record
        assert slow_part(world, film) == after


def test_the_cached_interest_is_the_one_that_is_folded_anew(world: World) -> None:
    world.feed(liked("e1", "alien", ago_s=60), liked("e2", "babe"), liked("e3", "heat"))
    state = world.state("u")
    assert state is not None
    assert state.key is not None
    assert state.interest is not None
    anew = type(state)(state.record)
    interest, folded = interest_of(anew, world.view(), state.key.time_bucket)
    assert folded
    assert interest.slow.tobytes() == state.interest.slow.tobytes()
    assert interest.fast.tobytes() == state.interest.fast.tobytes()
    world.rank(RankRequest("u", 3))
    assert world.meter.folds == 1


def test_the_parts_of_an_explanation_sum_to_the_score(world: World) -> None:
    world.feed(liked("e1", "alien", ago_s=60), liked("e2", "babe", ago_s=50))
    world.feed(liked("e3", "heat", signal="hide", ago_s=40), liked("e4", "alien"))
    ranking = world.rank(RankRequest("u", 6, query="space", explain=True))
    assert ranking.explanations is not None
    for score, parts in zip(ranking.scores, ranking.explanations, strict=True):
        assert (
            parts.offset + parts.slow + parts.fast + parts.near + parts.repeat + parts.query
            == pytest.approx(score, abs=1e-5)
        )
        shares = sum(contribution.share for contribution in parts.contributions)
        assert shares == pytest.approx(parts.slow + parts.fast + parts.near, abs=1e-5)
