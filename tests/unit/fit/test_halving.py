"""Successive halving: the default stays unless something is certainly better."""

from __future__ import annotations

import numpy as np

from penchant.domain.arrays import Float64
from penchant.fit.halving import successive_halving

USERS = [np.arange(100), np.arange(200), np.arange(400)]


def judged(better: dict[str, float], noise: float = 0.1) -> object:
    def judge(choice: str, number: int) -> Float64 | None:
        seed = sum(map(ord, choice)) * 7 + number
        random = np.random.default_rng(seed).normal(0.0, noise, len(USERS[number]))
        return np.asarray(0.5 + better.get(choice, 0.0) + random, np.float64)

    return judge


def test_the_best_of_many_is_found_wherever_it_stands() -> None:
    choices = [f"choice {number}" for number in range(9)]
    for best in choices[1:]:
        found = successive_halving(choices, USERS, judged({best: 0.2}), seed=1)  # type: ignore[arg-type]  # A judge.
        assert found.best == best
        assert found.reached > found.first


def test_equals_leave_the_default() -> None:
    choices = ["default", *(f"choice {number}" for number in range(8))]
    worse = dict.fromkeys(choices[1:], -0.05)
    found = successive_halving(choices, USERS, judged(worse), seed=1)  # type: ignore[arg-type]  # A judge.
    assert (found.best, found.tried) == ("default", 9)
    assert found.reached == found.first


def test_when_the_time_is_over_the_best_so_far_counts() -> None:
    asked = []

    def judge(choice: str, number: int) -> Float64 | None:
        asked.append(choice)
        gain = 0.9 if choice == "good" else 0.1
        return None if len(asked) > 2 else np.full(len(USERS[number]), gain)

    found = successive_halving(["default", "good", "never"], USERS, judge, seed=1)
    assert (found.best, found.tried) == ("good", 2)


def test_each_round_judges_about_half_and_always_the_default() -> None:
    rounds: dict[int, list[str]] = {}

    def judge(choice: str, number: int) -> Float64 | None:
        rounds.setdefault(number, []).append(choice)
        return np.full(len(USERS[number]), 0.0 if choice == "0" else int(choice) / 10)

    successive_halving([str(number) for number in range(8)], USERS, judge, seed=1)
    assert [len(rounds[number]) for number in range(3)] == [8, 5, 3]
    assert all("0" in judged for judged in rounds.values())
