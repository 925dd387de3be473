"""Rollouts: membership of the share, and how often chance alone ends one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.domain.rollout import (
    BUCKETS,
    CANDIDATE,
    SERVED,
    Rollout,
    Sums,
    bucket_of,
    no_sums,
    standing,
)
from penchant.domain.types import CatalogHead

USERS = [f"user-{number}" for number in range(10_000)]


def rollout(share: float = 0.5, mode: str = "canary", **more: Any) -> Rollout:
    return Rollout("r", mode, share, CatalogHead(), begun_us=0, **more)


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_the_share_is_as_large_as_asked_and_grows_without_changing_hands(share: float) -> None:
    inside = {user for user in USERS if rollout(share).tries(user)}
    assert len(inside) / len(USERS) == pytest.approx(share, abs=0.01)
    assert {user for user in USERS if rollout(share / 2).tries(user)} <= inside


def test_another_release_tries_other_users() -> None:
    other = Rollout("s", "canary", 0.5, CatalogHead(), begun_us=0)
    both = sum(rollout().tries(user) and other.tries(user) for user in USERS) / len(USERS)
    assert both == pytest.approx(0.25, abs=0.02)


def test_a_shadow_is_shown_to_nobody() -> None:
    assert not any(rollout(1.0, "shadow").shows(user) for user in USERS[:100])


def test_buckets_are_filled_alike_in_and_out_of_the_share() -> None:
    for inside in (True, False):
        users = [user for user in USERS if rollout().tries(user) == inside]
        counts = np.bincount([bucket_of(user) for user in users], minlength=BUCKETS)
        assert counts.min() > 0.7 * len(users) / BUCKETS


@given(
    cases=st.integers(1, 1000),
    rewards=st.lists(st.floats(-1, 1), min_size=BUCKETS, max_size=BUCKETS),
)
def test_equal_arms_are_never_worse(cases: int, rewards: list[float]) -> None:
    sums = no_sums()
    sums[:2, :, 0] = cases
    sums[:2, :, 1] = np.array(rewards) * cases
    found = standing(sums, rollout())
    assert found.difference == 0
    assert not found.worse


def test_one_users_many_events_say_nothing_and_a_difference_without_noise_does() -> None:
    sums = no_sums()
    sums[:2, 3, 0], sums[SERVED, 3, 1] = 10_000, 10_000
    assert not standing(sums, rollout()).worse
    sums[:2, :, 0], sums[SERVED, :, 1], sums[CANDIDATE, :, 1] = 10, 10, -10
    found = standing(sums, rollout())
    assert found.error == 0
    assert found.worse


def test_without_cases_nothing_is_said() -> None:
    found = standing(no_sums(), rollout())
    assert found.cases == (0, 0)
    assert math.isnan(found.difference)
    assert not found.worse


def looks(random: np.random.Generator, served: float, tried: float) -> bool:
    """Whether a rollout of 200 batches ends, with many events of very different users."""
    sums: Sums = no_sums()
    tastes = random.normal(0, 0.3, (2, 400))
    for _ in range(200):
        users = random.integers(0, 400, (2, 20))
        for arm, mean in ((SERVED, served), (CANDIDATE, tried)):
            rewards = np.clip(mean + tastes[arm, users[arm]] + random.normal(0, 0.5, 20), -1, 1)
            np.add.at(sums[arm], (users[arm] % BUCKETS, 0), 1.0)
            np.add.at(sums[arm], (users[arm] % BUCKETS, 1), rewards)
        if standing(sums, rollout()).worse:
            return True
    return False


def test_chance_ends_fewer_than_one_trial_of_equals_in_twenty() -> None:
    random = np.random.default_rng(1)
    assert sum(looks(random, 0.3, 0.3) for _ in range(100)) < 5


def test_a_clearly_worse_release_is_ended_nearly_always() -> None:
    random = np.random.default_rng(2)
    assert sum(looks(random, 0.3, 0.1) for _ in range(40)) >= 36


def test_a_loss_within_the_budget_does_not_end_a_trial() -> None:
    sums = no_sums()
    sums[:2, :, 0] = 1_000_000
    sums[SERVED, :, 1], sums[CANDIDATE, :, 1] = 500_000, 490_000 + np.arange(BUCKETS)
    assert not standing(sums, rollout(max_loss=0.05)).worse
    assert standing(sums, rollout(max_loss=0.01)).worse


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"mode": "beta"}, "expected shadow or canary"),
        ({"share": 0.0}, "expected above 0 to 1"),
        ({"max_loss": 2.0}, "expected 0 to 1"),
        ({"min_cases": 0}, "expected 1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        rollout(**settings)
