"""Rows through the three formats and back, and rows that can't be read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.logs.tables.cells import BadRow, number_of, text_of, time_us_of
from penchant.logs.tables.files import Row, Table, format_of, open_table

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)
CELLS = st.fixed_dictionaries({"user": TEXT, "item": TEXT, "a b": TEXT})
MANY = 3000


def write(path: Path, rows: list[dict[str, str]]) -> None:
    names = ["user", "item", "a b"]
    if path.suffix == ".parquet":
        columns = {name: [row[name] for row in rows] for name in names}
        schema = pyarrow.schema([(name, pyarrow.string()) for name in names])
        pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(file, names, delimiter=delimiter, quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)


def read(path: Path) -> list[Row]:
    table: Table = open_table(path)
    try:
        rows = list(table.rows())
        assert table.done == table.size
        return rows
    finally:
        table.close()


@given(st.lists(CELLS, max_size=8))
def test_every_format_gives_back_the_rows_in_order(rows: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        for suffix in ("csv", "tsv", "jsonl", "parquet"):
            path = Path(directory) / f"rows.{suffix}"
            write(path, rows)
            got = read(path)
            assert [row.fault for row in got] == [""] * len(rows)
            assert [dict(row.values) for row in got] == rows
            assert [row.number for row in got] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_large_file_is_not_read_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    write(path, [{"user": str(n), "item": "x" * 50, "a b": ""} for n in range(MANY)])
    table = open_table(path)
    next(table.rows())
    assert table.done < table.size / 2
    table.close()


def test_a_csv_row_that_does_not_fit_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'\xef\xbb\xbfuser,item\na,1\nb\n\nc,3,4\n\xff,5\n"x"y,6\nd,"7\n8"\n')
    rows = read(path)
    faults = [row.fault.partition(":")[0] for row in rows]
    fields = "got {} fields, expected 2"
    assert faults == ["", fields.format(1), fields.format(3), "not UTF-8", "not CSV", ""]
    assert rows[0].values == {"user": "a", "item": "1"}
    assert rows[-1].values == {"user": "d", "item": "7\n8"}


def test_a_jsonl_line_that_is_no_object_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_bytes(b'{"a": 1}\n[1]\n\n{"a": \n\xff\n{"a": 2}')
    rows = read(path)
    assert [row.number for row in rows] == [1, 2, 4, 5, 6]
    assert [bool(row.fault) for row in rows] == [False, True, True, True, False]


def test_what_is_no_table_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be opened"):
        open_table(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(ConfigError, match="not a Parquet file"):
        open_table(tmp_path / "text.parquet")
    with pytest.raises(ConfigError, match="--format"):
        format_of(Path("rows.xlsx"))


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


@pytest.mark.parametrize("cell", ["five", "inf", [5], float("inf")])
def test_what_is_no_number_is_refused(cell: object) -> None:
    with pytest.raises(BadRow, match="value: got"):
        number_of(cell)


def test_bytes_are_text_only_where_they_are_utf8() -> None:
    assert text_of("é".encode()) == "é"
    with pytest.raises(BadRow, match="UTF-8"):
        text_of(b"\xff")
