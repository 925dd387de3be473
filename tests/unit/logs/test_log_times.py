"""Times as logs have them: read, or refused row by row with a way out; never another year."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.columns import EventColumns
from penchant.logs.event_log import EventLog
from penchant.logs.event_rows import read_event_rows
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events
from penchant.logs.refusals import LeftOut
from penchant.logs.row_batch import RowBatch

USUAL = 1_500_000_000


def refusal(cell: object, unit: str = "s") -> str:
    row = {"user": "ann", "item": "tent", "signal": "like", "occurred_at": cell}
    _, refusals = read_event_rows(RowBatch.of_rows([row]), EventColumns(time_unit=unit))
    return refusals.reasons.get(0, "")


def read(path: Path, *cells: object, unit: str = "auto") -> tuple[EventLog, LeftOut]:
    path.write_text("user,item,signal,occurred_at\n" + "".join(f'a,b,like,"{c}"\n' for c in cells))
    left_out = LeftOut()
    with open_table(path) as table:
        return read_events(table, EventColumns(time_unit=unit), left_out), left_out


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2024-05-01 10:00", 1714557600),
        ("2024-05-01", 1714521600),
        ("2024-05-01T10:00:00+02:00", 1714550400),
        ("2024-05-01T10:00:00Z", 1714557600),
        ("2024-05-01 10:00:00 UTC", 1714557600),
        (1714557600.0, 1714557600),
    ],
)
def test_a_time_without_doubt_is_read(cell: object, seconds: int) -> None:
    row = {"user": "ann", "item": "tent", "signal": "like", "occurred_at": cell}
    log, refusals = read_event_rows(RowBatch.of_rows([row]), EventColumns())
    assert (refusals.reasons, log.at_us.tolist()) == ({}, [seconds * 10**6])


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (1700000000123456789, "--time-unit ns makes it 2023-11-14"),
        ("1700000000123456", "--time-unit us makes it 2023-11-14"),
        (
            1700000000123,
            "the year 55841, in the future; set the unit of epoch times: --time-unit ms",
        ),
        ("1e303", "no time in the unit 's'"),
        (-5, "1969-12-31, before 1970"),
        ("01/05/2024", "whether the day or the month comes first can't be told"),
        ("1.5.2024 10:00", "whether the day or the month comes first can't be told"),
        ("2024-05-01T10:00:00 Mars/Phobos", "expected ISO 8601"),
        ("2024-02-30", "expected ISO 8601"),
        ("9999-12-31", "in the future"),
        ("1_500_000_000", "expected ISO 8601"),
    ],
)
def test_a_doubtful_time_costs_its_row_and_says_what_to_do(cell: object, words: str) -> None:
    assert words in refusal(cell)


def test_a_time_is_refused_where_a_server_would_refuse_it() -> None:
    now = time.time()
    assert refusal(now + 200) == ""
    assert "in the future" in refusal(now + 400)
    assert refusal(0) == ""


FIRST, SECOND = 1_772_324_326, 1_772_410_726
"""2026-03-01 00:18:46 and the same a day later."""


@pytest.mark.parametrize(
    "cells",
    [
        ("2026/03/01 00:18:46", "2026/3/2 00:18:46"),
        ("2026.03.01 00:18:46", "2026.03.02 00:18:46"),
        ("Sun, 01 Mar 2026 00:18:46 GMT", "Mon, 02 Mar 2026 02:18:46 +0200"),
        ("01 Mar 2026 00:18:46 GMT", "02 Mar 2026 00:18:46"),
        ("Sun Mar 01 00:18:46 +0000 2026", "Mon Mar  2 00:18:46 2026"),
        ("20260301001846", "20260302001846"),
        ("1772324326000", "1772410726000"),
        ("1772324326000000", "1772410726000000"),
        ("1772324326,000", "1772410726,000"),
        ("46082.013032407", "46083.013032407"),
        ("01.03.2026 00:18:46", "02.03.2026 00:18:46", "31.03.2026"),
        ("03/01/26 12:18:46 AM", "03/02/26 12:18:46 am", "03/31/26 01:00 PM"),
        ("1-3-2026, 00:18:46", "2-3-2026 00:18:46", "31-3-2026"),
    ],
)
def test_a_usual_way_to_write_times_is_read_where_the_whole_column_agrees(
    tmp_path: Path, cells: tuple[str, ...]
) -> None:
    log, left_out = read(tmp_path / "a.csv", *cells)
    assert left_out.counts == {}
    assert [*left_out.warnings] == []
    assert (log.at_us[:2] / 1e6).tolist() == pytest.approx([FIRST, SECOND], abs=1e-3)


def test_what_tells_a_column_may_stand_behind_its_first_rows(tmp_path: Path) -> None:
    early = [f"{1 + n % 12:02}.{1 + n % 12:02}.2025" for n in range(70_000)]
    log, left_out = read(tmp_path / "a.csv", *early, "31.03.2026")
    assert (len(log), left_out.counts) == (70_001, {})
    (sentence,) = left_out.assumed
    assert sentence.startswith("All times of the column occurred_at are read as dates with the day")


def test_days_of_a_spreadsheet_and_dates_as_one_number_are_read_as_such(tmp_path: Path) -> None:
    log, _ = read(tmp_path / "a.csv", 45413, 45414.5)
    assert (log.at_us / 1e6).tolist() == [1714521600, 1714651200]
    log, left_out = read(tmp_path / "a.csv", 20240501, 20240502)
    assert (log.at_us / 1e6).tolist() == [1714521600, 1714608000]
    assert "dates written as one number" in left_out.assumed[0]


@pytest.mark.parametrize(
    ("usual", "other", "unit"),
    [(45413.5, USUAL, "excel"), (20240501, 45413, "ymd"), (1772324326000, 1e13, "ms")],
)
def test_numbers_that_contradict_the_others_are_asked_about(
    tmp_path: Path, usual: float, other: float, unit: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "a.csv", *[usual] * 99, other)
    assert f"--time-unit {unit} or s" in str(caught.value)
    assert len(read(tmp_path / "a.csv", *[usual] * 99, other, unit=unit)[0]) == 99


def test_the_day_first_and_the_month_first_in_one_column_contradict(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'31.03.2026', and the month first, as in '03.31.2026'"):
        read(tmp_path / "a.csv", "31.03.2026", "03.31.2026")


def test_what_stays_ambiguous_is_refused_with_the_option_that_decides(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be told: --time-unit dmy or mdy"):
        read(tmp_path / "a.csv", "01.03.2026", "02.03.2026")
    log, _ = read(tmp_path / "a.csv", "01.03.2026", unit="dmy")
    assert (log.at_us / 1e6).tolist() == [1772323200]
    log, _ = read(tmp_path / "a.csv", "01.03.2026", unit="mdy")
    assert (log.at_us / 1e6).tolist() == [1767398400]


def test_a_counter_stays_one_of_seconds_with_a_warning(tmp_path: Path) -> None:
    log, left_out = read(tmp_path / "a.csv", *range(0, 60_000, 100))
    assert log.at_us[-1] == 59_900 * 10**6
    assert "times are in 1970" in left_out.warnings[0]


@pytest.mark.parametrize(
    ("cells", "unit", "span"),
    [
        ((20240501, 20240502), "s", "all 2 times are in 1970, 1970-08-23 to 1970-08-23"),
        ((USUAL, USUAL + 1), "ms", "all 2 times are in 1970, 1970-01-18 to 1970-01-18"),
        ((45413.5, USUAL), "s", "1 of 2 times are in 1970, 1970-01-01 to 1970-01-01"),
    ],
)
def test_times_of_1970_are_worth_a_warning(
    tmp_path: Path, cells: tuple[object, ...], unit: str, span: str
) -> None:
    _, left_out = read(tmp_path / "a.csv", *cells, unit=unit)
    (warning,) = left_out.warnings
    assert warning.startswith(span)
    assert "is the unit right?" in warning
    assert any("is the unit right?" in note for note in left_out.notes())


def test_one_bad_time_among_good_ones_costs_its_row_alone(tmp_path: Path) -> None:
    log, left_out = read(tmp_path / "a.csv", USUAL, 1700000000123456789, USUAL + 1)
    assert len(log) == 2
    assert left_out.first["unreadable rows of events"].startswith("row 2, line 3: occurred_at: got")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([USUAL * 10**3, 2**60], pa.timestamp("ms")),
        pa.array([USUAL * 10**6, -(2**62)], pa.timestamp("us", "UTC")),
        pa.array([USUAL * 10**6, 2**62], pa.timestamp("us", "Mars/Phobos")),
        pa.array([USUAL * 10**9, None], pa.timestamp("ns", "Europe/Berlin")),
        pa.array([17_000, 2**31 - 1], pa.date32()),
        pa.array([1.5e9, 1e303]),
        pa.array([b"\xff", b"1500000000"], pa.binary()),
        pa.array([[1], [2]]),
    ],
    ids=str,
)
def test_any_time_of_parquet_is_read_or_refused_by_row(tmp_path: Path, column: pa.Array) -> None:
    usual = {"item": ["a", "b"], "signal": ["like", "like"]}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"user": ["u", "v"], "occurred_at": column, **usual}), path)
    with open_table(path) as table:
        (batch,) = table.batches()
    _, refusals = read_event_rows(batch, EventColumns())
    assert 1 in refusals.reasons or 0 in refusals.reasons
    assert batch.rows()
    pq.write_table(pa.table({"user": column, "occurred_at": [USUAL] * 2, **usual}), path)
    with open_table(path) as table:
        (batch,) = table.batches()
    read_event_rows(batch, EventColumns())


def test_ids_of_whole_numbers_mean_the_same_in_csv_and_parquet(tmp_path: Path) -> None:
    column = {"user": [12.0, None, 13.0], "item": [1, 2, 3], "signal": ["like"] * 3}
    table = pa.table({**column, "occurred_at": [USUAL] * 3})
    pq.write_table(table, tmp_path / "a.parquet")
    text = "user,item,signal,occurred_at\n12.0,1,like,{0}\n,2,like,{0}\n13.0,3,like,{0}\n"
    (tmp_path / "a.csv").write_text(text.format(USUAL))
    users = []
    for name in ("a.parquet", "a.csv"):
        left_out = LeftOut()
        with open_table(tmp_path / name) as opened:
            log = read_events(opened, EventColumns(), left_out)
        users.append([event.user for event in log])
    assert users == [["12", "13"], ["12", "13"]]
    assert left_out.changed == {"ids such as 12.0 in column 'user' read as 12": 2}


def test_a_time_ahead_in_the_unit_given_is_not_advised_the_same_unit() -> None:
    assert refusal(2_700_000_000).endswith("which is 2055-07-24, in the future")
    assert "--time-unit ms makes it" in refusal(1_700_000_000_000)
    assert "--time-unit s makes it" not in refusal(2_700_000_000)


@pytest.mark.parametrize("cell", ["1.7E+09", "1.70000000E+09", "2e9"])
def test_a_time_that_a_spreadsheet_has_rounded_is_refused(tmp_path: Path, cell: str) -> None:
    log, left_out = read(tmp_path / "events.csv", cell, USUAL)
    assert (len(log), log.at_us.tolist()) == (1, [USUAL * 10**6])
    assert "a spreadsheet has rounded" in left_out.first_case


def test_a_time_with_an_exponent_and_all_of_its_digits_is_read(tmp_path: Path) -> None:
    log, _ = read(tmp_path / "events.csv", "1.500000000E+09")
    assert log.at_us.tolist() == [USUAL * 10**6]
