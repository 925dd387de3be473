"""The planted log, with one change of taste per user at a known event, and its recovery curve."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from benchmarks.drift import AFTER, BEFORE, ITEMS_A_KIND, KINDS, USERS, DriftEvent, plant
from benchmarks.recovery import Curve, curve_of, recovery_of
from penchant.evaluation.metrics import MeanInterval

KIND = np.repeat(np.arange(len(KINDS)), ITEMS_A_KIND)


@pytest.fixture(scope="module")
def events() -> list[DriftEvent]:
    return plant(KIND, seed=3)


def by_user(events: list[DriftEvent]) -> dict[int, list[DriftEvent]]:
    users: defaultdict[int, list[DriftEvent]] = defaultdict(list)
    for event in events:
        users[event.user].append(event)
    return users


def test_equal_seeds_give_equal_logs(events: list[DriftEvent]) -> None:
    assert plant(KIND, seed=3) == events
    assert plant(KIND, seed=4) != events


def test_each_user_changes_taste_once_and_completely(events: list[DriftEvent]) -> None:
    users = by_user(events)
    assert len(users) == USERS
    for own in users.values():
        before = [event for event in own if event.since < 0]
        assert [event.since for event in own] == list(range(-len(before), AFTER))
        assert BEFORE[0] <= len(before) <= BEFORE[1]
        (old,) = {event.taste for event in before}
        (new,) = {event.taste for event in own if event.since >= 0}
        assert not set(old) & set(new)


def test_users_like_items_of_their_taste_and_meet_none_twice(events: list[DriftEvent]) -> None:
    assert all((KIND[event.item] in event.taste) == event.likes for event in events)
    for own in by_user(events).values():
        assert len({event.item for event in own}) == len(own)


def test_a_curve_is_the_mean_over_users_at_each_event() -> None:
    share, user = np.array([0.0, 1.0, 0.5, 0.5]), np.array([0, 1, 0, 1])
    curve = curve_of("one", share, user, np.array([0, 0, 1, 1]), seed=1)
    assert curve.since.tolist() == [0, 1]
    assert [point.mean for point in curve.share] == [0.5, 0.5]


def test_a_ranking_that_never_follows_does_not_recover() -> None:
    falling = [MeanInterval(share, share, share) for share in (0.9, 0.1, 0.2, 0.3)]
    recovery = recovery_of(Curve("one", np.array([-1, 0, 1, 39]), falling))
    assert (recovery.before, recovery.at_change, recovery.events) == (0.9, 0.1, None)
