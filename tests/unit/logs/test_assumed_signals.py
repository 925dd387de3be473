"""A log with signals and scales of its own is read whole, and each assumption is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.rewards import SignalTable, admit
from penchant.domain.signals import DEFAULT_SIGNALS, named_signals
from penchant.domain.types import Event
from penchant.logs.assumed_signals import assumed_signals
from penchant.logs.event_log import EventLog
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut


def log_of(signal: str, values: list[float | None]) -> EventLog:
    return EventLog.of(
        Event(f"e{at}", "ann", "tent", signal, value, at) for at, value in enumerate(values)
    )


def table_of(signal: str, values: list[float | None]) -> SignalTable:
    return assumed_signals(log_of(signal, values), DEFAULT_SIGNALS)[0]


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("Play", "complete"),
        ("add_to_wishlist", "like"),
        ("transaction", "purchase"),
        ("PageView", "view"),
        ("thumbs-down", "dislike"),
        ("uninstalled", "hide"),
        ("displayed", "impression"),
    ],
)
def test_a_usual_name_means_what_it_says(name: str, usual: str) -> None:
    assert table_of(name, [None])[name] == DEFAULT_SIGNALS[usual]


def test_what_is_sent_back_counts_against_its_item() -> None:
    for name in ("refund", "remove_from_cart", "Unsubscribed"):
        assert table_of(name, [None])[name].reward < 0


def test_a_name_that_says_nothing_is_a_weak_like_and_named() -> None:
    table, said = assumed_signals(log_of("evt\x1b17", [None]), DEFAULT_SIGNALS)
    assert 0 < table["evt\x1b17"].reward < 1
    assert "evt" in said[0]
    assert "\x1b" not in said[0]


@pytest.mark.parametrize(
    ("values", "worst", "neutral", "best"),
    [
        ([1, 5, 7, 10], 1, 4, 10),
        ([-10, -3.5, 0, 9.25], -10, 0, 10),
        ([0, 1, 1, 0], 0, 0.5, 1),
        ([0.2, 0.4, 0.8, 1.0], 0, 0.4, 1),
        ([12, 55, 80, 100], 12, 40, 100),
    ],
)
def test_ratings_of_another_scale_are_worth_what_stars_are(
    values: list[float | None], worst: float, neutral: float, best: float
) -> None:
    table = table_of("rating", values)
    assert admit(table, "rating", neutral).reward == pytest.approx(0)
    assert admit(table, "rating", best).reward == pytest.approx(1)
    assert admit(table, "rating", worst).reward < 0


def test_counts_are_likes_that_grow_with_the_count() -> None:
    values: list[float | None] = [float(2**n) for n in range(14)]
    rewards = [admit(table_of("score", values), "score", value).reward for value in values]
    assert all(reward > 0 for reward in rewards)
    assert rewards == sorted(rewards)
    assert rewards[-1] == 1


def test_ones_alone_are_likes() -> None:
    table = table_of("rating", [1.0] * 9)
    assert admit(table, "rating", 1.0).reward == 1


def test_a_stray_value_changes_no_scale() -> None:
    stars: list[float | None] = [float(1 + n % 5) for n in range(3000)]
    assert table_of("rating", [*stars, 99.0]) == DEFAULT_SIGNALS


@given(
    st.sampled_from(sorted(DEFAULT_SIGNALS)),
    st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.5, 5.0]), min_size=1),
)
def test_what_the_table_understands_stays(signal: str, values: list[float]) -> None:
    found = table_of(signal, [*values, 2.0, 5.0])
    assert found == DEFAULT_SIGNALS


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_no_value_but_strays_is_refused_and_a_larger_one_is_never_worth_less(
    values: list[float],
) -> None:
    table = table_of("rating", list(values))
    rewards = [admit(table, "rating", value).reward for value in sorted(values)]
    assert rewards == sorted(rewards)
    assert all(-1 <= reward <= 1 for reward in rewards)


def test_a_column_that_is_none_of_signals_assumes_nothing() -> None:
    log = EventLog.of(Event(f"e{at}", "ann", "tent", f"s{at}", None, at) for at in range(500))
    assert assumed_signals(log, DEFAULT_SIGNALS) == (DEFAULT_SIGNALS, [])


def test_files_are_completed_and_a_chosen_table_is_not(tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    rows = [f"u{n % 5},i{n % 7},listen,{1_600_000_000 + n}\n" for n in range(50)]
    events.write_text("user,item,signal,ts\n" + "".join(rows))
    left_out = LeftOut()
    source = LogSource(events=events)
    stream = read_log(source, DEFAULT_SIGNALS, "reward>0", left_out, "nothing")
    assert len(stream.events) == 50
    assert stream.signals["listen"] == DEFAULT_SIGNALS["complete"]
    np.testing.assert_array_equal(stream.reward, np.float32(0.8))
    assert "'listen' (50 events) has the reward +0.8" in "".join(left_out.notes())
    with pytest.raises(Exception, match="listen"):
        read_log(source, named_signals("home"), "reward>0", LeftOut(), "nothing")
