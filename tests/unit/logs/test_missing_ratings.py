"""Zeros that stand for no rating are told from the worst of ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event
from penchant.logs.event_log import EventLog
from penchant.logs.log_source import LogSource
from penchant.logs.missing_ratings import VIEW, with_missing_ratings
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream
from tests.support.shop_log import write_csv


def log_of(values: list[float], signal: str = "rating") -> EventLog:
    return EventLog.of(
        Event(f"e{at}", f"u{at % 9}", f"i{at % 7}", signal, value, at)
        for at, value in enumerate(values)
    )


def drawn(shares: dict[float, float], count: int = 2000) -> list[float]:
    chances = np.array(list(shares.values()))
    random = np.random.default_rng(1)
    found: list[float] = random.choice(list(shares), count, p=chances / chances.sum()).tolist()
    return found


BOOKS = drawn({0: 62, 1: 0.2, 2: 0.3, 3: 0.5, 4: 1, 5: 5, 6: 4, 7: 8, 8: 10, 9: 7, 10: 8})
STARS = drawn({0: 30, 1: 4, 2: 6, 3: 15, 4: 25, 5: 20})
"""Of five, unrated ones as 0."""
HATED = drawn({0: 15, 1: 12, 2: 8, 3: 12, 4: 25, 5: 28})
"""People use the lowest stars, and 0 among them."""
PERCENT = drawn({value: 1 + value / 50 for value in range(101)})
FEW = drawn({0: 2, 2: 5, 3: 20, 4: 40, 5: 33})
BINARY = drawn({0: 60, 1: 40})
PLAYS = drawn({0: 50, 3: 10, 40: 10, 2000: 30})
HALVES = drawn({value / 2: 1 + value for value in range(11)})


@pytest.mark.parametrize("values", [BOOKS, STARS])
def test_zeros_that_stand_alone_are_views_and_it_is_said(values: list[float]) -> None:
    log, said = with_missing_ratings(log_of(values), DEFAULT_SIGNALS)
    found = [(event.signal, event.value) for event in log]
    expected = [(VIEW, None) if value == 0 else ("rating", value) for value in values]
    assert found == expected
    assert "0 is taken for no rating" in said[0]


@pytest.mark.parametrize("values", [HATED, PERCENT, FEW, BINARY, PLAYS, HALVES, [], [0.0] * 50])
def test_zeros_of_a_scale_stay_what_they_are(values: list[float]) -> None:
    before = log_of(values)
    log, said = with_missing_ratings(before, DEFAULT_SIGNALS)
    assert log is before
    assert not said


def read(path: Path) -> tuple[Stream, str]:
    left_out = LeftOut()
    stream = read_log(
        LogSource(events=path), DEFAULT_SIGNALS, "reward>0", left_out, "nothing to read"
    )
    return stream, " ".join(left_out.assumed)


def test_a_log_of_books_holds_no_dislikes_but_low_ratings(tmp_path: Path) -> None:
    rows = [
        (f"u{at % 40}", f"b{at % 70}", int(value), 1_600_000_000 + at)
        for at, value in enumerate(BOOKS)
    ]
    heading = ("User-ID", "ISBN", "Book-Rating", "timestamp")
    stream, said = read(write_csv(tmp_path / "books.csv", heading, rows))
    low = sum(0 < value < 4 for value in BOOKS)
    assert np.count_nonzero(stream.reward < 0) == low
    assert len(stream.events) == len(BOOKS)
    assert "these events for the signal view" in said
