"""Rank: the state that is used, the items that are listed, and their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import EncoderUnavailable, StateBehind
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event
from penchant.service.rank import Ranking, RankRequest
from tests.support.histories import FILMS, events
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import (
    NOW_US,
    SECOND_US,
    SIGNALS_WITH_SHORT_WAIT,
    World,
    copy_of,
    liked,
)


def score_of(ranking: Ranking, id_: str) -> float:
    return ranking.scores[ranking.ids.index(id_)]


def test_the_very_next_ranking_uses_an_acked_event(world: World) -> None:
    request = RankRequest("u", 6)
    before = world.rank(request)
    (ack,) = world.feed(liked("e1", "alien"))
    after = world.rank(RankRequest("u", 6, min_state_version=ack.state_version))
    assert (before.state_version, after.state_version) == (0, 1)
    assert (before.cold_start, after.cold_start) == (True, False)
    assert after.ids[0] == "alien"
    assert score_of(after, "gravity") > score_of(after, "babe")


def test_a_state_that_was_not_reached_is_state_behind_for_that_request_alone(world: World) -> None:
    world.feed(liked("e1", "toy"))
    behind, fine, stranger = world.rank_all(
        [
            RankRequest("u", 1, min_state_version=2),
            RankRequest("u", 1, min_state_version=1),
            RankRequest("v", 1, min_state_version=1),
        ]
    )
    assert isinstance(behind, StateBehind)
    assert str(behind).startswith("min_state_version: got 2, the user's state is at 1")
    assert isinstance(fine, Ranking)
    assert isinstance(stranger, StateBehind)


def test_unknown_candidates_are_listed_and_fail_nothing(world: World) -> None:
    candidates = ("nope", "toy", "heat", "x" * 200)
    ranking = world.rank(RankRequest("u", 10, candidates))
    assert sorted(ranking.ids) == ["heat", "toy"]
    assert ranking.unknown_candidates == ["nope", "x" * 200]


def test_an_empty_list_of_candidates_ranks_nothing(world: World) -> None:
    ranking = world.rank(RankRequest("u", 10, candidates=(), explain=True))
    assert (ranking.ids, ranking.scores, ranking.explanations) == ([], [], [])


@pytest.mark.parametrize("k", [1, 3, 6, 7, 1000])
@pytest.mark.parametrize("candidates", [None, tuple(sorted(FILMS))])
def test_at_most_k_items_come_best_first(
    world: World, k: int, candidates: tuple[str, ...] | None
) -> None:
    world.feed(liked("e1", "toy"), liked("e2", "heat", signal="dislike"))
    ranking = world.rank(RankRequest("u", k, candidates))
    assert len(ranking.ids) == len(set(ranking.ids)) == min(k, 6)
    assert ranking.scores == sorted(ranking.scores, reverse=True)
    whole = world.rank(RankRequest("u", 1000))
    assert ranking.ids == whole.ids[:k]
    assert ranking.scores == pytest.approx(whole.scores[:k], abs=1e-5)


def test_seen_items_are_left_out_where_asked(world: World) -> None:
    world.feed(liked("e1", "toy"), liked("e2", "heat", signal="impression"))
    for candidates in (None, tuple(FILMS)):
        ranking = world.rank(RankRequest("u", 10, candidates, exclude_seen=True))
        assert set(ranking.ids) == set(FILMS) - {"toy", "heat"}
        assert ranking.unknown_candidates == []
    assert set(world.rank(RankRequest("v", 10, exclude_seen=True)).ids) == set(FILMS)


def test_an_empty_catalog_ranks_nothing_for_anyone(tmp_path: Path) -> None:
    world = World(tmp_path)
    ranking = world.rank(RankRequest("u", 5, query="comedy", explain=True))
    assert (ranking.ids, ranking.catalog_version, ranking.cold_start) == ([], 0, True)
    ranking = world.rank(RankRequest("u", 5, candidates=("toy",)))
    assert (ranking.ids, ranking.unknown_candidates) == ([], ["toy"])


def test_a_query_moves_what_it_names_up(world: World) -> None:
    plain = world.rank(RankRequest("u", 6))
    asked = world.rank(RankRequest("u", 6, query="alien horror space"))
    assert asked.ids[0] == "alien"
    assert score_of(asked, "alien") > score_of(plain, "alien")


def test_the_queries_of_a_batch_are_encoded_together_and_once(world: World) -> None:
    world.encoder.encoded.clear()
    world.rank_all([RankRequest("u", 1, query=text) for text in ("space", "pig", "space", "")])
    assert world.encoder.encoded == ["pig", "space"]


def test_a_failing_encoder_costs_only_the_requests_with_a_query(world: World) -> None:
    world.encoder.break_down()
    plain, asked = world.rank_all([RankRequest("u", 1), RankRequest("u", 1, query="space")])
    assert isinstance(plain, Ranking)
    assert isinstance(asked, EncoderUnavailable)


def test_a_ranking_as_of_another_time_is_the_one_that_was_made_then(world: World) -> None:
    world.feed(liked("e1", "toy", ago_s=1000), liked("e2", "heat", ago_s=500))
    then = world.rank(RankRequest("u", 6))
    world.now_us += 90 * 86400 * SECOND_US
    now = world.rank(RankRequest("u", 6))
    as_of = world.rank(RankRequest("u", 6, as_of_us=NOW_US))
    assert (as_of.ids, as_of.scores) == (then.ids, then.scores)
    assert now.scores != then.scores


def test_a_warm_users_ranking_folds_nothing(world: World) -> None:
    world.feed(liked("e1", "toy"))
    folds = world.meter.folds
    for _ in range(3):
        world.rank(RankRequest("u", 1))
    assert world.meter.folds == folds
    world.rank(RankRequest("stranger", 1))
    assert world.meter.folds == folds + 1


@pytest.mark.parametrize("change", ["catalog", "clock", "settings"])
def test_a_cache_that_is_good_for_something_else_is_folded_anew(world: World, change: str) -> None:
    world.feed(liked("e1", "toy"))
    if change == "catalog":
        world.put(heat="quite another film")
    elif change == "clock":
        world.now_us += 600 * SECOND_US
    else:
        fold = FoldSettings(ridge=3.0)
        world = World(world.directory, store=world.store, fold=fold)
    folds = world.meter.folds
    changed = world.rank(RankRequest("u", 6))
    assert world.meter.folds == folds + 1
    fresh = World(world.directory, store=world.store, fold=world.config.fold)
    fresh.now_us = world.now_us
    assert fresh.rank(RankRequest("u", 6)).scores == changed.scores


def test_additions_below_the_growth_keep_every_cache(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = World(tmp_path_factory.mktemp("catalog"))
    world.put(**{f"i{number}": f"film {number}" for number in range(50)})
    world.feed(liked("e1", "i1"))
    world.put(new="a new film")
    folds = world.meter.folds
    assert "new" in world.rank(RankRequest("u", 100)).ids
    assert world.meter.folds == folds


def test_a_reply_names_the_versions_it_used(world: World) -> None:
    ranking = world.rank(RankRequest("u", 1))
    assert ranking.catalog_version == world.view().head.version
    assert ranking.encoder_version == world.encoder.version


def test_every_ranking_has_a_name_of_its_own(world: World) -> None:
    replies = world.rank_all([RankRequest("u", 1)] * 20)
    names = {reply.recommendation_id for reply in replies if isinstance(reply, Ranking)}
    assert len(names) == 20
    assert all(1 <= len(name) <= 64 for name in names)


def test_an_ignored_impression_counts_after_its_wait_without_any_event(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fold = FoldSettings(time_bucket_s=10.0)
    world = World(tmp_path_factory.mktemp("catalog"), fold=fold, signals=SIGNALS_WITH_SHORT_WAIT)
    world.put(**FILMS)
    world.feed(liked("e1", "toy", signal="impression", recommendation_id="r"))
    at_once = score_of(world.rank(RankRequest("u", 6)), "toy")
    world.now_us += 70 * SECOND_US
    later = score_of(world.rank(RankRequest("u", 6)), "toy")
    assert later < at_once
    world.feed(liked("e2", "toy", signal="click", recommendation_id="r"))
    assert score_of(world.rank(RankRequest("u", 6)), "toy") > at_once


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("films"), encoder=WatchedEncoder())
    world.put(**FILMS)
    return world


@given(
    history=events(max_size=20),
    query=st.sampled_from(["", "space drama"]),
    candidates=st.none() | st.lists(st.sampled_from(sorted(FILMS)), unique=True).map(tuple),
    later_s=st.sampled_from([0, 3600]),
    deleted=st.sampled_from([[], ["toy"]]),
)
def test_the_parts_of_an_explanation_sum_to_the_score(
    films: World,
    tmp_path_factory: pytest.TempPathFactory,
    history: list[Event],
    query: str,
    candidates: tuple[str, ...] | None,
    later_s: int,
    deleted: list[str],
) -> None:
    if deleted:
        world = World(tmp_path_factory.mktemp("smaller"))
        world.put(**FILMS)
    else:
        world = World(films.directory, store=copy_of(films.store))
    world.feed(*history)
    world.catalog.delete(deleted)
    world.now_us += later_s * SECOND_US
    ranking = world.rank(RankRequest("u", 6, candidates, query=query, explain=True))
    assert ranking.explanations is not None
    own = {event.event_id: event for event in history if event.user == "u"}
    for score, parts in zip(ranking.scores, ranking.explanations, strict=True):
        total = parts.offset + parts.slow + parts.fast + parts.near + parts.repeat + parts.query
        assert total == pytest.approx(score, abs=1e-5)
        assert query or parts.query == 0
        shares = [abs(contribution.share) for contribution in parts.contributions]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) <= 5
        if len(own) <= 5 and not deleted:
            personal = sum(contribution.share for contribution in parts.contributions)
            assert personal == pytest.approx(parts.slow + parts.fast + parts.near, abs=1e-5)
        for contribution in parts.contributions:
            event = own[contribution.event_id]
            assert (contribution.item, contribution.signal) == (event.item, event.signal)
            assert contribution.occurred_at_us == event.occurred_at_us


def test_without_explain_no_explanation_comes(world: World) -> None:
    assert world.rank(RankRequest("u", 3)).explanations is None


def test_the_event_that_is_named_first_is_the_one_to_blame(world: World) -> None:
    world.feed(liked("e1", "alien", ago_s=60), liked("e2", "babe"))
    world.feed(liked("e3", "heat", signal="hide"))
    ranking = world.rank(RankRequest("u", 6, explain=True))
    assert ranking.explanations is not None
    by_id = dict(zip(ranking.ids, ranking.explanations, strict=True))
    assert by_id["alien"].contributions[0].event_id == "e1"
    assert by_id["alien"].contributions[0].share > 0
    assert by_id["babe"].contributions[0].event_id == "e2"
    assert by_id["babe"].contributions[0].share > 0
    blamed = {part.event_id: part.share for part in by_id["heat"].contributions}
    assert blamed["e3"] < 0


def test_scores_are_plain_numbers(world: World) -> None:
    ranking = world.rank(RankRequest("u", 3, query="space"))
    assert all(isinstance(score, float) for score in ranking.scores)
    assert np.isfinite(ranking.scores).all()
