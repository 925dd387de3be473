"""What feedback, rankings and reservations say about quality, and that a failed batch says none."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.domain.reservations import Budget, Cap, Pace, ReserveOption, ReserveRequest
from penchant.domain.types import Exposure, Vector
from penchant.service.meter import Outcome
from penchant.service.rank import RankRequest
from penchant.service.reserve import ReserveService
from penchant.store.base import Transaction
from tests.support.world import World, liked


def slow_of(world: World) -> Vector:
    state = world.state("u")
    assert state is not None
    assert state.interest is not None
    return state.interest.slow


def test_an_outcome_has_the_arm_the_reward_and_the_score_it_was_shown_at(world: World) -> None:
    shown = liked("e1", "toy", signal="impression")
    scored = dataclasses.replace(liked("e2", "toy"), exposure=Exposure(score=0.25))
    world.feed(shown, scored, liked("e3", "heat", signal="dislike"))
    first, second, third = world.meter.seen
    assert (first.impression, first.score) == (True, None)
    assert second == Outcome("served", impression=False, reward=1.0, score=0.25)
    assert third.reward < 0
    world.feed(scored)  # A duplicate is no outcome.
    assert len(world.meter.seen) == 3


def test_a_like_has_the_score_at_which_its_item_was_shown(world: World) -> None:
    """The exposure comes with the impression, and the like names user and item alone."""
    impression = liked("e1", "toy", signal="impression")
    world.feed(dataclasses.replace(impression, exposure=Exposure(score=0.25)))
    world.feed(liked("e2", "toy", user="other"), liked("e3", "heat"), liked("e4", "toy"))
    assert [one.score for one in world.meter.seen] == [0.25, None, None, 0.25]


def test_a_batch_that_is_not_committed_says_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(liked("e1", "toy"))
    begin = world.store.transaction

    @contextmanager
    def failing() -> Iterator[Transaction]:
        with begin() as transaction:
            yield transaction
            raise StoreUnavailable("store: No space left on device")

    monkeypatch.setattr(world.store, "transaction", failing)
    seen, drifts = list(world.meter.seen), list(world.meter.drifts)
    with pytest.raises(StoreUnavailable):
        world.feed(liked("e2", "heat"))
    assert (world.meter.seen, world.meter.drifts) == (seen, drifts)


def test_the_drift_of_a_users_interest_is_between_two_commits(world: World) -> None:
    world.feed(liked("e1", "toy"))
    assert not world.meter.drifts  # There was nothing before it.
    before = slow_of(world)
    world.feed(liked("e2", "heat"))
    after = slow_of(world)
    cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    assert world.meter.drifts == [pytest.approx(1 - cosine, abs=1e-5)]


def test_each_ranking_is_counted_by_whether_its_user_is_new(world: World) -> None:
    world.rank(RankRequest("u", 10))
    world.feed(liked("e1", "toy"))
    world.rank(RankRequest("u", 10))
    (top, cold), (again, still_cold) = world.meter.rankings
    assert (cold, still_cold) == (True, False)
    assert sorted(top) == sorted(again) == list(range(len(top)))


def test_refusals_by_caps_budgets_and_their_pace_are_told_apart(world: World) -> None:
    service = ReserveService(world.store, world.catalogs, world.clock, world.meter)
    slow = Pace(window_s=60, window_micros=1, total_micros=1_000, left_s=86_400)
    options = {
        "capped": ReserveOption("toy", (Cap("c", 1, 3600),)),
        "budget": ReserveOption("toy", budget=Budget("spent", 60, 50)),
        "pace": ReserveOption("toy", budget=Budget("slow", 60, 1_000, slow)),
    }
    # The first under a cap or a pace is granted.
    for number, name in enumerate(("capped", "pace", *options)):
        service.reserve([ReserveRequest("u", f"r{number}", (options[name],), 1, lapse_s=60)])
    assert world.meter.reservations == {"reserved": 2, "capped": 1, "budget": 1, "pace": 1}
