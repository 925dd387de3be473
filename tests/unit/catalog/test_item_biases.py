"""The live offsets: a restart reads the state that the writer kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.catalog import files
from penchant.catalog.item_biases import CountedItems, ItemBiasFile, ItemBiasTable
from penchant.domain.recent_counts import RecentCounts
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.tally import Tally
from penchant.domain.types import Counters

HALF_LIFE_S = 14 * 86400.0
DAY_US = 86_400_000_000
ENTRIES = st.dictionaries(
    st.integers(0, 30),
    st.builds(Counters, st.floats(0, 100), st.floats(0, 100), st.integers(0, 10_000 * DAY_US)),
    max_size=8,
)


def book_of(entries: dict[int, Counters]) -> ItemBiasTable:
    book = ItemBiasTable(HALF_LIFE_S, 50.0)
    book.set(entries.items())
    return book


@given(entries=ENTRIES)
def test_every_offset_is_a_number_and_strangers_have_nought(entries: dict[int, Counters]) -> None:
    offsets = book_of(entries).values(40)
    assert np.isfinite(offsets).all()
    strangers = [number for number in range(40) if number not in entries]
    assert offsets[strangers] == pytest.approx(0.0, abs=1e-6)


@given(entries=ENTRIES, touched=st.lists(st.integers(0, 30), unique=True))
def test_a_few_offsets_are_those_of_the_whole(
    entries: dict[int, Counters], touched: list[int]
) -> None:
    book = book_of(entries)
    whole = book.values(40)
    numbers = np.array(touched, np.int64)
    np.testing.assert_array_equal(book.values_of(numbers), whole[numbers])


def test_an_event_long_after_all_others_does_not_blow_its_offset_up() -> None:
    book = book_of({number: Counters(10.0, 0.0, 0) for number in range(5)})
    usual = float(book.values(10).max())
    book.set([(7, Counters(1.0, 0.0, 10_000 * DAY_US))])
    assert float(book.values_of(np.array([7]))[0]) <= usual


def test_counters_of_more_items_than_there_was_room_for_are_kept() -> None:
    number = files.MIN_CAPACITY + 5
    book = book_of({number: Counters(1.0, 0.0, 0)})
    assert book.values(number + 1)[number] > 0
    assert len(book_of({}).values(3 * files.MIN_CAPACITY)) == 3 * files.MIN_CAPACITY


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    files.write_generation(tmp_path, 1, np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    return tmp_path


def test_readers_see_published_offsets_at_once(directory: Path) -> None:
    seen = files.map_offsets(directory, 1)
    book = book_of({0: Counters(3.0, 0.0, 0)})
    published = ItemBiasFile(directory, book)
    published.publish(1, 3)
    assert seen[:3].tolist() == book.values(3).tolist()
    book.set([(1, Counters(2.0, 0.0, 0))])
    published.publish(1, 3, np.array([1]))
    assert seen[1] > 0


def test_a_new_generation_gets_all_offsets(directory: Path) -> None:
    book = book_of({0: Counters(3.0, 0.0, 0), 2: Counters(1.0, 0.0, 0)})
    published = ItemBiasFile(directory, book)
    published.publish(1, 3, np.array([0]))
    files.write_generation(directory, 2, np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    published.publish(2, 3, np.array([1]))
    assert files.map_offsets(directory, 2)[:3].tolist() == book.values(3).tolist()


def test_an_empty_catalog_has_no_offsets_to_publish(tmp_path: Path) -> None:
    ItemBiasFile(tmp_path, book_of({})).publish(0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_generation_whose_file_is_gone_is_said_and_costs_no_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ItemBiasFile(tmp_path, book_of({})).publish(9, 1)
    assert "the live offsets can't be written" in caplog.text


HOUR_S = 3600.0
LIKE = ResolvedSignal(1.0, 1.0, None)
LIKES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40 * 3600)), min_size=1, max_size=40)
"""Items, and seconds since the like before."""


@given(likes=LIKES)
def test_recent_offsets_are_those_of_counters_that_fade_as_fast(
    likes: list[tuple[int, int]],
) -> None:
    slow, fast = Tally(HALF_LIFE_S), Tally(5 * HOUR_S)
    book, other = ItemBiasTable(HALF_LIFE_S, 50.0), ItemBiasTable(5 * HOUR_S, 50.0)
    at_us = 10_000 * DAY_US
    nothing = np.zeros(6, np.float32)
    book.follow(RecentCounts(5 * HOUR_S, at_us, nothing, nothing))
    for user, (item, elapsed_s) in enumerate(likes):
        at_us += elapsed_s * 1_000_000
        book.set([(item, slow.count(user, item, LIKE, at_us))])
        other.set([(item, fast.count(user, item, LIKE, at_us))])
    np.testing.assert_allclose(book.values(6), other.values(6), rtol=1e-5, atol=1e-6)
    some = np.array([likes[0][0]])
    np.testing.assert_allclose(book.values_of(some), other.values_of(some), rtol=1e-5, atol=1e-6)


@given(likes=LIKES)
def test_all_at_once_gains_what_one_by_one_gains(likes: list[tuple[int, int]]) -> None:
    tally, at_us = Tally(HALF_LIFE_S), 10_000 * DAY_US
    for user, (item, elapsed_s) in enumerate(likes):
        at_us += elapsed_s * 1_000_000
        tally.count(user, item, LIKE, at_us)
    recent = RecentCounts(HOUR_S, 10_000 * DAY_US, *np.zeros((2, 6), np.float32))
    one_by_one, at_once = book_of({}), book_of({})
    for book in (one_by_one, at_once):
        book.follow(recent)
    one_by_one.set(tally.counters.items())
    numbers = np.array(list(tally.counters))
    columns = zip(*[(c.positives, c.impressions, c.as_of_us) for c in tally.counters.values()])  # noqa: B905
    positives, impressions, as_of_us = map(np.array, columns)
    at_once.set_counted(CountedItems(numbers, positives, impressions, as_of_us))
    np.testing.assert_array_equal(at_once.values(6), one_by_one.values(6))


def test_a_table_that_starts_again_counts_what_was_earned_since() -> None:
    start_us = 10_000 * DAY_US
    recent = RecentCounts(
        HOUR_S, start_us, np.array([2.0, 1.0], np.float32), np.array([8.0, 1.0], np.float32)
    )
    old = {0: Counters(8.0, 0.0, start_us), 1: Counters(1.0, 0.0, start_us)}
    goes_on, starts_again = book_of(old), book_of({})
    goes_on.follow(recent)
    new = {0: Counters(9.0, 0.0, start_us + 60_000_000), 2: Counters(3.0, 0.0, start_us)}
    goes_on.set(new.items())
    starts_again.set((old | new).items())
    starts_again.follow(recent)
    np.testing.assert_allclose(starts_again.values(3), goes_on.values(3), rtol=1e-5)


def test_items_that_were_shown_keep_the_rates_of_their_counters() -> None:
    shown = {0: Counters(5.0, 20.0, 10_000 * DAY_US), 1: Counters(1.0, 20.0, 10_000 * DAY_US)}
    book, plain = book_of(shown), book_of(shown)
    book.follow(RecentCounts(HOUR_S, 10_000 * DAY_US, *np.zeros((2, 2), np.float32)))
    np.testing.assert_array_equal(book.values(2), plain.values(2))
