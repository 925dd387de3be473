"""Who is ranked for, and against what, on planted logs."""

from __future__ import annotations

import numpy as np

from benchmarks.few_events import EVENTS, NEXT, FewEvents, few_events, measure
from penchant.domain.types import Event, Item, Vector
from penchant.logs.stream import Stream

FILMS = [Item(f"f{number}", f"film {number}") for number in range(60)]


def rated(user: str, count: int, start_s: int) -> list[Event]:
    """Ratings of the films in order; every second one is a like."""
    return [
        Event(f"{user}-{n}", user, f"f{n}", "rating", 5.0 - n % 2 * 3, (start_s + n) * 1_000_000)
        for n in range(count)
    ]


class ByNumber:
    """Ranks the films in order, and notes what it learns."""

    name = "by number"

    def __init__(self) -> None:
        self.learnt: list[int] = []

    def fit(self, stream: Stream, until: int) -> None:
        self.fitted = until

    def scores(self, user: int, at_us: int, context: object = ()) -> Vector:
        return -np.arange(len(FILMS), dtype=np.float32)

    def learn(self, position: int) -> None:
        self.learnt.append(position)


def planted() -> FewEvents:
    log = [*rated("old", 45, 0), *rated("few", 30, 50), *rated("new", 45, 100)]
    return few_events(FILMS, log, users=9, seed=1)


def test_users_who_begin_behind_the_fit_are_ranked_for() -> None:
    data = planted()
    assert data.start == 45
    assert set(data.liked_next) == {"new"}
    assert data.liked_next["new"][5] == {f"f{n}" for n in range(6, 5 + NEXT, 2)}


def test_each_count_of_events_gives_one_ranking_of_what_is_unseen() -> None:
    recommender = ByNumber()
    found = measure(planted(), recommender)
    assert recommender.learnt == list(range(45, 90))
    for count in EVENTS:
        values, users = found[count]
        assert values.shape == (1, 2)
        assert len(users) == 1
        assert values[0, 0] == 0.5  # The next ten by number, of which every second is a like.
