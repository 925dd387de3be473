"""How sure a run makes of a share: the intervals mean what they say, clumps included."""

from __future__ import annotations

import random

from penchant.capacity.service_level import chance_within


def independent(share: float, count: int, rng: random.Random) -> list[bool]:
    return [rng.random() < share for _ in range(count)]


def flags_with(bad: int, *, clumped: bool) -> list[bool]:
    """2,000 calls, some of them bad: one after another, or far apart."""
    flags = [False] * 2000
    for number in range(bad):
        flags[700 + number if clumped else number * (2000 // bad)] = True
    return flags


def test_far_from_the_limit_it_is_sure() -> None:
    rng = random.Random(1)
    assert chance_within(independent(0.002, 4000, rng), 0.01) > 0.99
    assert chance_within(independent(0.03, 4000, rng), 0.01) < 0.01


def test_at_the_limit_it_is_right_about_as_often_as_it_says() -> None:
    """Over shares around the limit, chances near 0.9 are right nine times in ten or so."""
    rng = random.Random(2)
    sure, right = 0, 0
    for _ in range(600):
        share = rng.uniform(0.0, 0.02)
        chance = chance_within(independent(share, 1500, rng), 0.01)
        if 0.8 < chance < 0.97 or 0.03 < chance < 0.2:
            sure += 1
            right += (share <= 0.01) == (chance >= 0.5)
    assert sure > 60
    assert 0.75 < right / sure <= 1.0


def test_bad_calls_behind_one_stall_say_less_than_as_many_far_apart() -> None:
    for bad in (8, 40):  # Less than the limit, and more.
        apart = chance_within(flags_with(bad, clumped=False), 0.01)
        behind = chance_within(flags_with(bad, clumped=True), 0.01)
        assert abs(behind - 0.5) < abs(apart - 0.5), bad


def test_without_calls_it_knows_nothing() -> None:
    assert chance_within([], 0.01) == 0.5


def test_a_few_good_calls_speak_for_a_server_however_small_the_share_allowed() -> None:
    chances = [chance_within([False] * count, 0.001) for count in (1, 10, 100, 1000, 10_000)]
    assert chances == sorted(chances)
    assert 0.5 <= chances[0] < 0.52
    assert chances[-1] > 0.999
