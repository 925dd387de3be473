"""Bisection on a noisy function finds the answer, and says how sure it is."""

from __future__ import annotations

import random

import pytest

from penchant.capacity.noisy_bisection import NoisyBisection

LOWEST, HIGHEST = 10.0, 20_000.0


def searched(truth: float, rng: random.Random, *, wrong: float = 0.0) -> NoisyBisection:
    """A search whose replies are wrong now and then, each as if it were sure."""
    search = NoisyBisection(LOWEST, HIGHEST)
    for _ in range(60):
        if search.interval().ratio <= 1.1:
            break
        rate = search.next_rate()
        holds = (rate <= truth) != (rng.random() < wrong)
        search.learn(rate, 0.97 if holds else 0.03)
    return search


@pytest.mark.parametrize("truth", [12.0, 150.0, 999.0, 18_000.0])
def test_without_noise_the_answer_lies_in_a_narrow_interval(truth: float) -> None:
    interval = searched(truth, random.Random(1)).interval()
    assert interval.ratio <= 1.1
    assert interval.low * 0.99 <= truth <= interval.high * 1.01


def test_with_wrong_replies_nine_in_ten_intervals_hold_the_answer() -> None:
    """Plain bisection loses the answer in every third such search: one wrong reply is enough."""
    rng = random.Random(2)
    truths = [LOWEST * (HIGHEST / LOWEST) ** rng.uniform(0.05, 0.95) for _ in range(100)]
    held = 0
    for truth in truths:
        interval = searched(truth, rng, wrong=0.05).interval()
        held += interval.low <= truth <= interval.high
    assert held >= 82  # 90 less three standard errors of the count.


def test_an_answer_beyond_the_rates_is_said() -> None:
    assert searched(1.0, random.Random(3)).outside() == "below"
    assert searched(1e6, random.Random(3)).outside() == "above"
    assert searched(700.0, random.Random(3)).outside() == ""


def test_a_reply_that_says_nothing_hardly_moves_the_interval() -> None:
    search = NoisyBisection(LOWEST, HIGHEST)
    before = search.interval()
    search.learn(search.next_rate(), 0.5)
    after = search.interval()
    assert after.low == pytest.approx(before.low, rel=0.2)
    assert after.high == pytest.approx(before.high, rel=0.2)


def test_rates_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 < lowest < highest"):
        NoisyBisection(10, 10)
