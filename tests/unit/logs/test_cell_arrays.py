"""Columns are converted as their cells are one by one, whatever Arrow's part in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.logs.cell_arrays import numbers_of, texts_of, times_us_of
from penchant.logs.cells import BadRow, is_missing, number_of, text_of, time_us_of
from penchant.logs.row_batch import ABSENT, python_cells

NUMBERS = st.one_of(
    st.sampled_from(
        ["", " ", "nan", "inf", "-Infinity", "1_000", "+3", ".5", "5.", "1e400", "0x1"]
    ),
    st.floats(allow_nan=False).map(str),
    st.integers().map(str),
    st.integers(-9, 9).map(lambda number: f" {number}"),
    st.text(max_size=3),
)
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=5, minutes=30))])
ZONELESS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1))
MOMENTS = st.builds(lambda when, zone: when.replace(tzinfo=zone), ZONELESS, ZONES)
TIMES = st.one_of(
    MOMENTS.map(datetime.isoformat),
    MOMENTS.map(lambda when: when.isoformat(" ", "seconds").replace("+00:00", "Z")),
    st.dates().map(date.isoformat),
    st.sampled_from(["2024-05", "0000-01-01", "2024-05-01T12:00:00.1234567", "2024-05-01T24:00"]),
)


def column(elements: st.SearchStrategy[Any], kind: Any = None) -> st.SearchStrategy[pa.Array]:
    cells = st.lists(st.one_of(st.none(), elements), max_size=6)
    return cells.map(lambda found: pa.array(found, kind))


INTEGERS = st.integers(-(2**63), 2**63 - 1)
COLUMNS = st.one_of(
    column(NUMBERS, pa.string()),
    column(TIMES, pa.string()),
    st.lists(ZONELESS.map(datetime.isoformat)).map(pa.array),
    column(INTEGERS, pa.int64()),
    column(st.integers(0, 2**64 - 1), pa.uint64()),
    column(st.floats(), pa.float64()),
    column(st.floats(width=32), pa.float32()),
    column(st.booleans(), pa.bool_()),
    column(st.datetimes(datetime(1, 1, 2)), pa.timestamp("us")),
    column(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), pa.timestamp("ns", "UTC")),
    column(st.integers(-(2**40), 2**40).map(lambda s: s * 1000), pa.timestamp("ms")),
    column(st.dates(), pa.date32()),
    column(st.times(), pa.time64("us")),
    column(st.binary(max_size=2), pa.binary()),
    column(st.decimals(-9, 9, places=2), pa.decimal128(5, 2)),
    column(st.lists(st.integers(0, 9), max_size=2), pa.list_(pa.int8())),
    column(NUMBERS, pa.string()).map(lambda cells: cells.dictionary_encode()),
    st.integers(0, 5).map(pa.nulls),
    st.lists(
        st.one_of(
            st.none(), st.just(ABSENT), NUMBERS, INTEGERS, st.floats(), st.booleans(),
            st.lists(st.integers()), st.dictionaries(st.text(max_size=2), st.none()),
        ),
        max_size=6,
    ),
)  # fmt: skip


def single(cells: Any) -> list[Any]:
    return [None if cell is ABSENT else cell for cell in python_cells(cells)]


@given(cells=COLUMNS)
def test_texts(cells: Any) -> None:
    found = texts_of(cells)
    for position, cell in enumerate(single(cells)):
        try:
            expected = ("", text_of(cell))
        except BadRow as error:
            expected = (str(error), "")
        assert (found.wrong.get(position, ""), found.at(position)) == expected
    assert len(set(found.distinct)) == len(found.distinct)
    assert texts_of(cells, strip=True).to_list() == [text.strip() for text in found.to_list()]


@given(cells=COLUMNS)
def test_numbers(cells: Any) -> None:
    found = numbers_of(cells)
    for position, cell in enumerate(single(cells)):
        assert found.missing[position] == is_missing(cell)
        try:
            number = number_of(cell)
        except BadRow:
            assert found.wrong[position]
        else:
            assert not found.wrong[position]
            np.testing.assert_equal(found.value[position], np.nan if number is None else number)


@given(cells=COLUMNS, unit=st.sampled_from(["s", "ms", "us", "ns"]))
def test_times(cells: Any, unit: str) -> None:
    found = times_us_of(cells, unit)
    for position, cell in enumerate(single(cells)):
        assert found.missing[position] == is_missing(cell)
        if is_missing(cell):
            continue
        try:
            expected = time_us_of(cell, unit)
        except BadRow:
            assert found.wrong[position]
        else:
            assert (found.wrong[position], found.at_us[position]) == (False, expected)


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(["1700000000", "1700000000.5", ""]),
        pa.array(["2024-05-01T12:00:00Z", "2024-05-01T12:00:00+02:00"]),
        pa.array(["2024-05-01T12:00:00", "2024-05-01", ""]),
        pa.array([1700000000, None]),
        pa.array([datetime(2024, 5, 1), None], pa.timestamp("ms")),
    ],
)
def test_times_of_the_usual_kinds_are_left_to_arrow(
    cells: pa.Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.logs.cell_arrays.time_us_of", None)
    assert not times_us_of(cells, "s").wrong.any()


def test_text_of_a_parquet_file_that_is_not_utf8_is_wrong_and_stops_nothing() -> None:
    broken = pa.array([b"a", b"\xff", b"a"]).view(pa.string())
    found = texts_of(broken)
    assert (found.at(0), found.at(2), list(found.wrong)) == ("a", "a", [1])


def test_odd_objects_have_a_text() -> None:
    cells = [time(1, 2), Decimal("1.50"), {"a": [1]}]
    assert texts_of(cells).to_list() == ["01:02:00", "1.50", '{"a": [1]}']
