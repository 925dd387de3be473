"""Rows through every format and back, and files that are none."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.logs.open_table import open_table, read_rows
from penchant.logs.row_batch import RowBatch

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


def read(path: Path, rows: int = 100) -> list[RowBatch]:
    with open_table(path) as table:
        batches = list(table.batches(rows=rows))
        assert table.done == table.size
        return batches


def values(batches: list[RowBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.rows()]


@given(st.lists(CELLS, max_size=8), st.integers(1, 9))
def test_every_format_gives_back_the_rows_in_order(
    rows: list[dict[str, str]], batch_rows: int
) -> None:
    with TemporaryDirectory() as directory:
        for suffix in ("csv", "tsv", "jsonl", "parquet"):
            path = Path(directory) / f"rows.{suffix}"
            write(path, rows)
            got = read(path, batch_rows)
            assert all(1 <= len(batch) <= batch_rows and not batch.unreadable for batch in got)
            assert values(got) == rows
            assert [row for one in got for row in map(one.values, range(len(one)))] == rows
            assert [number for batch in got for number in batch.number.tolist()] == list(
                range(1, len(rows) + 1)
            )


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_only_the_wanted_columns_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    write(path, [{"user": "u", "item": "i", "a b": "x"}])
    with open_table(path) as table:
        assert list(table.names) == ["user", "item", "a b"]
        (batch,) = table.batches(lambda name: name != "item")
    assert batch.rows() == [{"user": "u", "a b": "x"}]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_large_file_is_not_read_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    write(path, [{"user": str(n), "item": "x" * 50, "a b": ""} for n in range(MANY)])
    with open_table(path) as table:
        next(table.batches(rows=5))
        assert table.done < table.size / 2


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_batch_of_long_rows_ends_early(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {"csv": "csv_table", "jsonl": "json_lines_table"}[suffix]
    monkeypatch.setattr(f"penchant.logs.{module}.BATCH_BYTES", 300)
    path = tmp_path / f"rows.{suffix}"
    rows = [{"user": str(n), "item": "x" * 90, "a b": ""} for n in range(7)]
    write(path, rows)
    got = read(path)
    assert max(map(len, got)) <= 3
    assert values(got) == rows


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_zipped_file_is_read_and_a_damaged_one_refused(tmp_path: Path, suffix: str) -> None:
    path, rows = tmp_path / f"rows.{suffix}", [{"user": "u", "item": "é", "a b": "x"}] * MANY
    write(path, rows)
    zipped = tmp_path / f"rows.{suffix}.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert values(read(zipped)) == rows
    zipped.write_bytes(zipped.read_bytes()[:-20])
    with pytest.raises(ConfigError, match=r"file: rows\.\w+\.gz is damaged"):
        read(zipped)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,item,user\na,1,b\n")
    table = pyarrow.table([["a"], ["b"]], names=["user", "user"])
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    for name in ("rows.csv", "rows.parquet"):
        with pytest.raises(ConfigError, match="has two columns named 'user'; rename one"):
            open_table(tmp_path / name)


def test_files_that_are_no_tables_are_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be opened"):
        open_table(tmp_path / "nothing.parquet")
    with pytest.raises(ConfigError, match="can't be opened"):
        open_table(tmp_path / "nothing.csv")
    (tmp_path / "text.parquet").write_bytes(b"hello\0")
    with pytest.raises(ConfigError, match="not a Parquet file"):
        open_table(tmp_path / "text.parquet")
    (tmp_path / "note.txt").write_text("hello\n")
    with pytest.raises(ConfigError, match="--format"):
        open_table(tmp_path / "note.txt")
    with pytest.raises(ConfigError, match="format: got 'xml', expected csv, tsv, jsonl or parquet"):
        open_table(tmp_path / "text.parquet", "xml")


def test_a_damaged_parquet_file_is_refused_plainly(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    numbers = np.random.default_rng(1).integers(0, 2**60, 50_000)
    pyarrow.parquet.write_table(pyarrow.table({"user": numbers}), path)
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"file: rows\.parquet is damaged"):
        list(read_rows(path))
