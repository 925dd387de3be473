"""Rankings that explore, diversify, depend on the context, and leave owned items out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.exploration import EpsilonGreedy, Exploration, PlackettLuce, Policy, Thompson
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event, Exposure
from penchant.service.rank import RankRequest
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.owned import read_owned
from tests.support.histories import FILMS
from tests.support.world import NOW_US, World, liked

POLICIES: list[Policy] = [PlackettLuce(0.5), EpsilonGreedy(0.5), Thompson(1.0)]


def explored(world: World, policy: Policy, seed: int = 0, k: int = 6) -> RankRequest:
    return RankRequest("u", k, explore=Exploration(policy, seed))


@pytest.mark.parametrize("policy", POLICIES)
def test_exploring_shows_the_same_items_with_known_chances(world: World, policy: Policy) -> None:
    world.feed(liked("e1", "alien"))
    orders = set()
    for seed in range(20):
        ranking = world.rank(explored(world, policy, seed))
        assert sorted(ranking.ids) == sorted(FILMS)
        assert ranking.propensities is not None
        assert all(0 < chance <= 1 for chance in ranking.propensities)
        assert ranking.propensity_estimated == isinstance(policy, Thompson)
        orders.add(tuple(ranking.ids))
        again = world.rank(explored(world, policy, seed))
        assert (again.ids, again.propensities) == (ranking.ids, ranking.propensities)
    assert len(orders) > 1


def test_scores_of_an_explored_ranking_are_those_of_the_best(world: World) -> None:
    world.feed(liked("e1", "alien"))
    best = world.rank(RankRequest("u", 6))
    ranking = world.rank(explored(world, PlackettLuce(1.0), 4))
    assert dict(zip(best.ids, best.scores, strict=True)) == dict(
        zip(ranking.ids, ranking.scores, strict=True)
    )


def test_what_is_known_well_is_explored_less(world: World) -> None:
    def distinct(times: int) -> int:
        world.feed(*(liked(f"{times}-{n}", "alien", value=None) for n in range(times)))
        firsts = {world.rank(explored(world, Thompson(0.3), s, 1)).ids[0] for s in range(60)}
        return len(firsts)

    assert distinct(0) >= distinct(200)


def test_a_user_whose_budget_is_used_up_gets_the_best(tmp_path: Path) -> None:
    world = World(tmp_path, explorations_per_day=2)
    world.put(**FILMS)
    request = explored(world, PlackettLuce(100.0))
    assert world.rank(request).explorations_left == 2
    for number in (1, 2):
        ranking = world.rank(request)
        assert ranking.propensities is not None
        event = Event(
            f"i{number}",
            "u",
            ranking.ids[0],
            "impression",
            None,
            NOW_US,
            ranking.recommendation_id,
            exposure=Exposure(1, ranking.propensities[0]),
        )
        world.feed(event)
    spent = world.rank(request)
    assert (spent.explorations_left, spent.propensities) == (0, None)
    assert spent.ids == world.rank(RankRequest("u", 6)).ids


def test_a_diverse_list_begins_with_the_best_and_holds_k(world: World) -> None:
    world.feed(liked("e1", "alien"))
    best = world.rank(RankRequest("u", 3))
    diverse = world.rank(RankRequest("u", 3, diversity=0.7, explain=True))
    assert diverse.ids[0] == best.ids[0]
    assert len(set(diverse.ids)) == 3
    assert diverse.ids != best.ids
    assert diverse.propensities is None
    for score, why in zip(diverse.scores, diverse.explanations or [], strict=True):
        total = why.offset + why.slow + why.fast + why.near + why.repeat + why.query
        assert total == pytest.approx(score, abs=1e-5)


def test_what_is_owned_leaves_for_ever_and_comes_back_when_the_user_is_forgotten(
    world: World,
) -> None:
    request = RankRequest("u", 6, exclude_owned=True)
    world.feed(liked("e1", "alien", signal="purchase"), liked("e2", "toy"))
    assert sorted(world.rank(request).ids) == sorted(FILMS.keys() - {"alien"})
    assert "alien" in world.rank(RankRequest("u", 6)).ids
    capacity = world.config.fold.window_events
    world.feed(*(liked(f"n{n}", "heat") for n in range(capacity + 1)))
    assert "alien" not in world.rank(request).ids
    chosen = RankRequest("u", 6, ("alien", "babe"), exclude_owned=True)
    assert world.rank(chosen).ids == ["babe"]
    world.users.forget("u")
    assert "alien" in world.rank(request).ids


def test_what_is_owned_can_be_rebuilt_from_the_log(world: World) -> None:
    world.feed(liked("e1", "alien", signal="purchase"), liked("e2", "toy"))
    with world.store.snapshot() as snapshot:
        live = read_owned(snapshot, "u").tolist()
    rebuild_records(world.store, world.config.signals, world.config.fold.window_events)
    with world.store.snapshot() as snapshot:
        assert read_owned(snapshot, "u").tolist() == live != []


def test_a_user_may_be_one_person_in_the_morning_and_another_at_night(tmp_path: Path) -> None:
    morning, night = (("part_of_day", "morning"),), (("part_of_day", "night"),)
    fold = dataclasses.replace(FoldSettings(), context_halvings=4.0)
    world = World(tmp_path, fold=fold)
    world.put(**FILMS)
    for number in range(4):
        at = liked(f"m{number}", "toy", ago_s=900.0 - number)
        world.feed(dataclasses.replace(at, context=morning))
        at = liked(f"n{number}", "alien", ago_s=600.0 - number)
        world.feed(dataclasses.replace(at, context=night))
    assert world.rank(RankRequest("u", 2, context=morning)).ids[0] == "toy"
    assert world.rank(RankRequest("u", 2, context=night)).ids[0] == "alien"


def test_the_fold_that_feedback_leaves_serves_the_same_context(tmp_path: Path) -> None:
    night = (("part_of_day", "night"),)
    fold = dataclasses.replace(FoldSettings(), context_halvings=4.0)
    world = World(tmp_path, fold=fold)
    world.put(**FILMS)
    world.feed(dataclasses.replace(liked("e1", "alien"), context=night))
    folds = world.meter.folds
    there = world.rank(RankRequest("u", 6, context=night))
    assert world.meter.folds == folds
    elsewhere = world.rank(RankRequest("u", 6, context=(("part_of_day", "morning"),)))
    assert world.meter.folds == folds + 1
    assert not np.array_equal(there.scores, elsewhere.scores)
