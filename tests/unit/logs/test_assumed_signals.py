"""A log with signals and scales of its own is read whole, and each assumption is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable, admit
from penchant.domain.signals import DEFAULT_SIGNALS, named_signals
from penchant.domain.types import Event
from penchant.logs.assumed_signals import assumed_signals
from penchant.logs.event_log import EventLog
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream


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


def read_rows(
    path: Path, heading: str, rows: list[str], mapped: tuple[str, ...] = ()
) -> tuple[Stream, LeftOut]:
    """Reads a log of some rows, each with a user, an item and a time in front."""
    events = path / "events.csv"
    lines = [f"u{n % 7},i{n % 9},{1_600_000_000 + n},{row}" for n, row in enumerate(rows)]
    events.write_text("\n".join([f"user,item,ts,{heading}", *lines, ""]))
    left_out = LeftOut()
    source = LogSource(events=events, mapped=mapped)
    return read_log(source, DEFAULT_SIGNALS, "reward>0", left_out, "nothing"), left_out


def counts_of(stream: Stream) -> dict[str, int]:
    signals = EventLog.of(stream.events).signal
    return dict(Counter(signals.to_list()))


def test_few_words_beside_values_that_most_rows_lack_are_the_signal(tmp_path: Path) -> None:
    rows = [("get,", "get,", "drop,", f"grade,{1 + n % 5}")[n % 4] for n in range(200)]
    stream, left_out = read_rows(tmp_path, "what,stars", rows)
    assert counts_of(stream) == {"get": 100, "drop": 50, "grade": 50}
    assert left_out.counts == {}
    assert "The signal is the column what, with the words get, drop, grade." in "".join(
        left_out.assumed
    )


def test_few_words_that_are_usual_signals_are_the_signal_without_any_values(
    tmp_path: Path,
) -> None:
    rows = [("ansehen", "in den Warenkorb", "kaufen")[n % 3] for n in range(90)]
    stream, _ = read_rows(tmp_path, "art", rows)
    assert stream.signals["kaufen"] == DEFAULT_SIGNALS["purchase"]
    assert stream.signals["ansehen"] == DEFAULT_SIGNALS["view"]
    assert stream.signals["in den Warenkorb"].reward == 0.7


def test_few_words_beside_a_value_in_every_row_are_no_signals(tmp_path: Path) -> None:
    rows = [f"{('crime', 'love')[n % 2]},{1 + n % 5}" for n in range(200)]
    stream, _ = read_rows(tmp_path, "genre,stars", rows)
    assert counts_of(stream) == {"rating": 200}


def test_rows_without_a_value_are_views_where_they_are_many(tmp_path: Path) -> None:
    stream, left_out = read_rows(tmp_path, "stars", ["", "", "4"] * 40)
    assert counts_of(stream) == {"rating": 40, "view": 80}
    assert left_out.counts == {}
    assert "80 of 120 events of the signal 'rating' have no value, and are taken" in "".join(
        left_out.assumed
    )


def test_one_rating_without_its_value_costs_its_row_and_no_meaning() -> None:
    stars: list[float | None] = [float(1 + n % 5) for n in range(99)]
    table = table_of("rated_it", [None])
    assert "rated_it" in table
    table, said = assumed_signals(log_of("Rate", [*stars, None]), DEFAULT_SIGNALS)
    assert admit(table, "Rate", 1.0).reward < 0
    assert "has values from 0 to 5, of which 2 is neutral and 5 a full like" in said[0]


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("1", "0"), ("ja", "nein")])
def test_yes_and_no_of_a_column_of_likes_are_likes_and_dislikes(
    tmp_path: Path, yes: str, no: str
) -> None:
    stream, left_out = read_rows(tmp_path, "liked", [yes, no, no, ""] * 20)
    assert counts_of(stream) == {"like": 20, "dislike": 40, "view": 20}
    assert "yes is a like, no a dislike" in "".join(left_out.assumed)


def test_what_was_returned_is_no_like(tmp_path: Path) -> None:
    stream, _ = read_rows(tmp_path, "returned", ["False", "False", "True"] * 20)
    assert int((stream.reward > 0).sum()) == 40
    assert int((stream.reward < 0).sum()) == 20


def test_a_column_of_values_that_nobody_reads_is_named(tmp_path: Path) -> None:
    rows = [f"{(1, 2, -1)[n % 3]},{n % 101},{('yes', 'no')[n % 2]}" for n in range(300)]
    _, left_out = read_rows(tmp_path, "quantity,score,gift", rows)
    (line,) = [one for one in left_out.assumed if one.startswith("Not read:")]
    assert "quantity (-1 to 2), score (0 to 100), gift (yes or no)" in line
    assert "--map COLUMN=value" in line


def test_a_column_that_is_mapped_to_the_value_makes_ratings(tmp_path: Path) -> None:
    rows = [f"{n % 101}" for n in range(303)]
    stream, left_out = read_rows(tmp_path, "score", rows, mapped=("score=value",))
    assert int((stream.reward < 0).sum()) == 120
    assert "a rating with the value of the column score" in "".join(left_out.assumed)


def test_a_value_that_changes_nothing_is_said_to_change_nothing(tmp_path: Path) -> None:
    rows = [f"like,{n % 101}" for n in range(303)]
    _, left_out = read_rows(tmp_path, "signal,score", rows, mapped=("score=value",))
    assert "The column score is read as value and changes nothing" in "".join(left_out.assumed)
    _, left_out = read_rows(tmp_path, "signal,score", rows)
    assert "changes nothing" not in "".join(left_out.assumed)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (['"1,5"', "3", '"4,75"'], [1.5, 3, 4.75]),
        (["1/5", "4/5", "3 / 5"], [1, 4, 3]),
        (["★", "★★★☆☆", "⭐⭐⭐⭐"], [1, 3, 4]),
    ],
)
def test_values_as_people_write_them_are_read_where_the_column_agrees(
    tmp_path: Path, cells: list[str], values: list[float]
) -> None:
    stream, left_out = read_rows(tmp_path, "rating", cells * 30)
    assert left_out.counts == {}
    assert [event.value for event in stream.events[:3]] == values
    assert "All values of the column rating are read as" in "".join(left_out.assumed)


@pytest.mark.parametrize("cells", [['"1,500"', '"2,000"'], ["1/5", "1/10"]])
def test_values_that_could_be_two_numbers_stay_refused(tmp_path: Path, cells: list[str]) -> None:
    with pytest.raises(ConfigError, match="expected a finite number"):
        read_rows(tmp_path, "rating", cells * 30)


def test_a_decimal_comma_beside_a_decimal_point_costs_its_row(tmp_path: Path) -> None:
    _, left_out = read_rows(tmp_path, "rating", ['"1,5"', "2.5", "3.5", "4"] * 30)
    assert left_out.counts == {"unreadable rows of events": 30}


def test_thumbs_of_0_and_1_are_spoken_of_once(tmp_path: Path) -> None:
    _, left_out = read_rows(tmp_path, "rating", ["0", "1"] * 40)
    said = "".join(left_out.notes())
    assert "0.5 is neutral and 1 a full like" in said
    assert "one below 2 is a dislike" not in said
