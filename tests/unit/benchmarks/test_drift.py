"""The planted log: one change of taste a user, at an event that is known; and how it is read."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from benchmarks.drift import AFTER, BEFORE, ITEMS_A_KIND, KINDS, USERS, DriftEvent, plant
from benchmarks.recovery import Curve, curve_of, recovery_of
from penchant.evaluation.metrics import Estimate

KIND = np.repeat(np.arange(len(KINDS)), ITEMS_A_KIND)


@pytest.fixture(scope="module")
def acts() -> list[DriftEvent]:
    return plant(KIND, seed=3)


def by_user(acts: list[DriftEvent]) -> dict[int, list[DriftEvent]]:
    users: defaultdict[int, list[DriftEvent]] = defaultdict(list)
    for act in acts:
        users[act.user].append(act)
    return users


def test_a_seed_says_all(acts: list[DriftEvent]) -> None:
    assert plant(KIND, seed=3) == acts
    assert plant(KIND, seed=4) != acts


def test_each_user_changes_taste_once_and_altogether(acts: list[DriftEvent]) -> None:
    users = by_user(acts)
    assert len(users) == USERS
    for own in users.values():
        before = [act for act in own if act.since < 0]
        assert [act.since for act in own] == list(range(-len(before), AFTER))
        assert BEFORE[0] <= len(before) <= BEFORE[1]
        (old,) = {act.taste for act in before}
        (new,) = {act.taste for act in own if act.since >= 0}
        assert not set(old) & set(new)


def test_what_is_liked_is_of_the_taste_and_no_item_comes_twice(acts: list[DriftEvent]) -> None:
    assert all((KIND[act.item] in act.taste) == act.likes for act in acts)
    for own in by_user(acts).values():
        assert len({act.item for act in own}) == len(own)


def test_a_curve_is_the_mean_over_users_at_each_event() -> None:
    share, user = np.array([0.0, 1.0, 0.5, 0.5]), np.array([0, 1, 0, 1])
    curve = curve_of("one", share, user, np.array([0, 0, 1, 1]), seed=1)
    assert curve.since.tolist() == [0, 1]
    assert [point.mean for point in curve.share] == [0.5, 0.5]


def test_a_ranking_that_never_follows_has_not_recovered() -> None:
    falling = [Estimate(share, share, share) for share in (0.9, 0.1, 0.2, 0.3)]
    recovery = recovery_of(Curve("one", np.array([-1, 0, 1, 39]), falling))
    assert (recovery.before, recovery.at_change, recovery.events) == (0.9, 0.1, None)
