"""The live offsets: a restart reads the state that the writer kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.catalog import files
from penchant.catalog.item_biases import ItemBiasFile, ItemBiasTable
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
