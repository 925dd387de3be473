"""Learnt weights from a refresh to the score: published, explained, and overruled by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from penchant.catalog.view import CatalogReader
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event
from penchant.refresh.refresh import RefreshResult, refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.rank import RankRequest
from penchant.service.user_interest import read_catalog
from tests.support.world import World, liked

ITEMS, USERS, LIKES = 30, 12, 25
BATCH = 100


def repeated(seed: int = 0) -> list[Event]:
    """Each user likes four items of their own again and again, at most one an hour."""
    rng = np.random.default_rng(seed)
    return [
        liked(
            f"{user}-{place}",
            f"i{(7 * user + int(rng.integers(4))) % ITEMS}",
            user=f"u{user}",
            ago_s=(LIKES - place) * 7200.0 + user,
        )
        for user in range(USERS)
        for place in range(LIKES)
    ]


def refreshed(world: World) -> RefreshResult:
    return refresh_store(world.store, world.directory, world.config, RefreshSettings())


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put(**{f"i{number}": f"word{number} thing" for number in range(ITEMS)})
    events = repeated()
    for start in range(0, len(events), BATCH):
        world.feed(*events[start : start + BATCH])
    return world


def test_a_refresh_publishes_its_weights_and_says_what_they_are(world: World) -> None:
    before = world.view().settings
    assert before.repeat_weight == 0
    result = refreshed(world)
    view = world.view()
    assert json.loads(view.frozen.learnt) == result.weights.settings
    assert view.settings.repeat_weight == result.weights.settings["repeat_weight"] > 0
    assert "Repeats raise" in result.weights.sentence
    ranking = world.rank(RankRequest("u3", 4))
    assert set(ranking.ids) == {f"i{(21 + place) % ITEMS}" for place in range(4)}


@pytest.mark.parametrize("user", ["u0", "u7", "stranger"])
def test_the_parts_with_repeats_sum_to_the_score(world: World, user: str) -> None:
    refreshed(world)
    everything = world.rank(RankRequest(user, ITEMS, explain=True))
    some = world.rank(RankRequest(user, 3, candidates=("i3", "i0", "i21"), explain=True))
    scores = dict(zip(everything.ids, everything.scores, strict=True))
    for ranking in (everything, some):
        assert ranking.explanations is not None
        for id_, score, why in zip(ranking.ids, ranking.scores, ranking.explanations, strict=True):
            total = why.offset + why.slow + why.fast + why.near + why.repeat + why.query
            assert total == pytest.approx(score, rel=1e-5, abs=1e-4)
            assert score == pytest.approx(scores[id_], rel=1e-5, abs=1e-4)
    repeats = [why.repeat for why in everything.explanations or []]
    assert any(repeats) == (user != "stranger")


def test_what_the_operator_set_is_not_learnt_over(world: World) -> None:
    refreshed(world)
    fixed = CatalogReader(world.directory, FoldSettings(repeat_weight=0.25), {"repeat_weight"})
    with world.store.snapshot() as snapshot:
        settings = read_catalog(snapshot, fixed).settings
    assert settings.repeat_weight == 0.25
    assert settings.repeat_pause_s == world.view().settings.repeat_pause_s


def test_learnt_weights_outlive_new_items(world: World) -> None:
    refreshed(world)
    learnt = world.view().frozen.learnt
    world.put(**{f"new{number}": f"fresh{number} thing" for number in range(2 * ITEMS)})
    view = world.view()
    assert view.frozen.learnt == learnt
    assert len(view.popularity) == view.head.rows


def test_a_second_refresh_of_the_same_log_changes_nothing(world: World) -> None:
    assert refreshed(world).head == refreshed(world).head


def test_a_query_finds_the_words_of_an_item_before_and_after_a_refresh(world: World) -> None:
    """A refresh moves the items towards what is liked with them; a query still means words."""
    for _ in range(2):
        for number in range(ITEMS):
            query = f"word{number} thing"
            for user in ("u0", "stranger"):
                assert world.rank(RankRequest(user, 1, query=query)).ids == [f"i{number}"]
        refreshed(world)
