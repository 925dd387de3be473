"""Single cells: text, numbers and times, and the reasons where a cell is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.logs.cells import BadRow, number_of, text_of, time_us_of


@given(st.integers(0, 2**52))
def test_times_mean_the_same_however_they_are_written(microseconds: int) -> None:
    from penchant_sdk._times import from_microseconds

    when = from_microseconds(min(microseconds, 253_402_300_799_000_000))
    expected = time_us_of(when, "s")
    assert time_us_of(when.isoformat(), "ns") == expected
    assert time_us_of(when.replace(tzinfo=None), "s") == expected
    assert time_us_of(expected, "us") == expected
    assert time_us_of(str(expected // 1_000_000), "s") == expected // 1_000_000 * 1_000_000


@pytest.mark.parametrize("cell", ["yesterday", True, "nan", [1]])
def test_what_is_no_time_is_refused(cell: object) -> None:
    with pytest.raises(BadRow, match="occurred_at: got"):
        time_us_of(cell, "s")


@pytest.mark.parametrize("cell", [10**18, "1e305", 1e30, -(10**400), "1700000000000000000"])
def test_a_time_that_no_unit_makes_sense_of_is_refused_with_a_hint(cell: object) -> None:
    with pytest.raises(BadRow, match=r"no time in the unit 's'; set the unit of epoch times"):
        time_us_of(cell, "s")


@pytest.mark.parametrize("cell", ["five", "inf", [5], float("inf")])
def test_what_is_no_number_is_refused(cell: object) -> None:
    with pytest.raises(BadRow, match="value: got"):
        number_of(cell)


def test_bytes_are_text_only_where_they_are_utf8() -> None:
    assert text_of("é".encode()) == "é"
    with pytest.raises(BadRow, match="UTF-8"):
        text_of(b"\xff")
