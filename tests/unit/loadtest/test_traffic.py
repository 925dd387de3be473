"""Traffic is seeded, follows Zipf's law, and arrives at a constant rate."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from loadtest.shapes import RateCurve
from loadtest.traffic import (
    CANDIDATES,
    Arrivals,
    FeedbackStep,
    Population,
    RankStep,
    Step,
    Zipf,
    item_text,
    session,
)

POPULATION = Population(Zipf(50, 1.0), Zipf(500, 0.8))


def visits(seed: int, count: int) -> list[list[Step]]:
    """The steps of sessions in which every ranking has the same ten items."""
    rng, shown = random.Random(seed), [f"film-{number}" for number in range(10)]
    all_steps = []
    for _ in range(count):
        visit = session(rng, POPULATION)
        steps = [next(visit)]
        while True:
            try:
                steps.append(visit.send(shown if isinstance(steps[-1], RankStep) else ()))
            except StopIteration:
                break
        all_steps.append(steps)
    return all_steps


def test_zipf_draws_follow_their_weights() -> None:
    rng, zipf, draws = random.Random(1), Zipf(100, 1.0), 50_000
    counts = Counter(zipf.draw(rng) for _ in range(draws))
    harmonic = sum(1 / rank for rank in range(1, 101))
    for rank in (1, 2, 5, 10, 50):
        expected = draws / (rank * harmonic)
        assert counts[rank - 1] == pytest.approx(expected, rel=0.25), rank
    assert set(counts) <= set(range(100))


def test_zipf_with_exponent_0_is_uniform() -> None:
    rng, zipf = random.Random(1), Zipf(4, 0.0)
    counts = Counter(zipf.draw(rng) for _ in range(8000))
    assert all(count == pytest.approx(2000, rel=0.1) for count in counts.values())


def test_zipf_is_seeded() -> None:
    zipf = Zipf(1000, 0.9)
    first, second = random.Random(7), random.Random(7)
    assert [zipf.draw(first) for _ in range(100)] == [zipf.draw(second) for _ in range(100)]


def test_zipf_stays_inside_at_the_very_end() -> None:
    class Highest(random.Random):
        def random(self) -> float:
            return 1.0

    assert Zipf(10, 1.0).draw(Highest()) == 9


def test_distinct_draws_are_distinct_and_at_most_all() -> None:
    drawn = Zipf(20, 1.2).draw_distinct(random.Random(1), 100)
    assert sorted(drawn) == list(range(20))


def test_zipf_refuses_nobody() -> None:
    with pytest.raises(ValueError, match="size: got 0"):
        Zipf(0, 1.0)


def test_sessions_are_seeded() -> None:
    assert visits(3, 20) == visits(3, 20)
    assert visits(3, 20) != visits(4, 20)


def test_a_session_alternates_between_rankings_and_feedback_of_one_user() -> None:
    for steps in visits(1, 200):
        assert len({step.user for step in steps}) == 1
        assert isinstance(steps[0], RankStep)
        assert isinstance(steps[-1], RankStep)
        assert all(type(one) is not type(other) for one, other in pairwise(steps))
        asks = [step for step in steps if isinstance(step, RankStep)]
        assert [ask.after_feedback for ask in asks] == [False] + [True] * (len(asks) - 1)


def test_feedback_is_about_distinct_shown_items() -> None:
    feedbacks = [
        step for steps in visits(1, 200) for step in steps if isinstance(step, FeedbackStep)
    ]
    for feedback in feedbacks:
        items = [item for item, _ in feedback.events]
        assert 1 <= len(items) <= 3
        assert len(set(items)) == len(items)
        assert set(items) <= {f"film-{number}" for number in range(10)}


def test_about_half_of_the_sessions_name_candidates() -> None:
    first = [steps[0] for steps in visits(1, 400)]
    named = [step.candidates for step in first if isinstance(step, RankStep) and step.candidates]
    assert 150 < len(named) < 250
    assert all(len(set(candidates)) == CANDIDATES for candidates in named)


def test_a_session_ends_where_nothing_is_shown() -> None:
    visit = session(random.Random(1), POPULATION)
    next(visit)
    with pytest.raises(StopIteration):
        visit.send(())


def test_arrivals_come_at_a_constant_rate_over_all_clients() -> None:
    arrivals = Arrivals(RateCurve.of("steady", 40.0, 10.0), clients=8)
    due = sorted(arrivals.due_s(client, step) for client in range(8) for step in range(10))
    assert due[0] == 0.0
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert gaps == pytest.approx([1 / 40] * 79)


def test_no_two_items_have_the_same_text() -> None:
    assert len({item_text(number) for number in range(2000)}) == 2000
