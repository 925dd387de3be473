"""Files are taken for what they hold, whatever their names say; other kinds are named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.open_table import open_table

CSV = b"user,item\nann,tent\nbob,rope\n" + b"cid,caf\xc3\xa9\n" * 3000


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: bytes(pa.compress(content, "zstd", asbytes=True)),
    "zip": lambda content: zipped(events=content),
}


@pytest.mark.parametrize("named", ["events.csv.{}", "events.csv", "events.{}"])
@pytest.mark.parametrize("kind", PACKINGS)
def test_a_packed_file_is_read_whatever_its_name(tmp_path: Path, kind: str, named: str) -> None:
    path = tmp_path / named.format(kind)
    path.write_bytes(PACKINGS[kind](CSV))
    with open_table(path) as table:
        rows = [row for batch in table.batches() for row in batch.rows()]
        assert table.done == table.size
    assert (len(rows), rows[0], rows[-1]) == (
        3002, {"user": "ann", "item": "tent"}, {"user": "cid", "item": "café"}
    )  # fmt: skip


@pytest.mark.parametrize("kind", PACKINGS)
def test_a_packed_file_that_is_cut_off_is_damaged(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"events.csv.{kind}"
    packed = PACKINGS[kind](os.urandom(200_000).hex().encode())
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ConfigError, match=r"events\.csv\.\w+ is damaged"):
        list(open_table(path).batches())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_utf_16_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes("user,item\nann,café\nbob,東京\n".encode(encoding))
    with open_table(path) as table:
        (batch,) = table.batches()
    assert batch.rows() == [{"user": "ann", "item": "café"}, {"user": "bob", "item": "東京"}]


def test_parquet_is_read_whatever_its_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user": ["ann"], "__index_level_0__": [0]}), tmp_path / "events.csv")
    with open_table(tmp_path / "events.csv") as table:
        (batch,) = table.batches()
    assert batch.rows() == [{"user": "ann"}]


@pytest.mark.parametrize("name", ["events.csv", "events", "events.json", "events.txt"])
def test_json_lines_are_read_whatever_their_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"user": "ann"}\n{"user": "bob"}\n')
    with open_table(tmp_path / name) as table:
        (batch,) = table.batches()
    assert batch.rows() == [{"user": "ann"}, {"user": "bob"}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(a=CSV, b=CSV), "zip archive of 2 files, expected one: a, b; unpack it"),
        (zipped(**{"[Content_Types].xml": b"", "xl/a.xml": b""}), "an Excel file; save the sheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file"),
        (b"ARROW1\0\0", "an Arrow or Feather file; write it as Parquet"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x80\x04\x95", "a Python pickle"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        ("user,item\n".encode("utf-32"), "is in UTF-32, expected UTF-8; convert it: iconv"),
        (gzip.compress(b"PAR1" + b"\0" * 50, mtime=0), "a packed Parquet file; unpack it"),
        (
            b'[{"user": "ann"}, ' + b" " * (9 << 20) + b"{}]",
            "one JSON array, expected a JSON object on each line",
        ),
        (b"a\x01b,\x02\n", "control characters; is the file text"),
    ],
    ids=lambda one: "" if isinstance(one, bytes) else one,  # Archives hold the time.
)
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "events.csv").write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        open_table(tmp_path / "events.csv")
    assert words in str(refused.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for name, words in (
        ("", "is a directory, expected a file"),
        ("pipe.csv", "is a pipe or a device, expected a file"),
        ("none.csv", "can't be opened: No such file"),
    ):
        with pytest.raises(ConfigError, match=words):
            open_table(tmp_path / name)


def test_movielens_files_of_double_colons_are_read(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::1193::5::978300760\n1::661::3::978302109\n")
    (tmp_path / "movies.dat").write_bytes(b"1::Toy Story (1995)::Animation|Comedy\n")
    with open_table(tmp_path / "ratings.dat") as table:
        (batch,) = table.batches()
        assert "no heading; its columns are read as user_id, item_id" in table.warnings[0]
    assert batch.rows()[1] == {
        "user_id": "1", "item_id": "661", "rating": "3", "timestamp": "978302109"
    }  # fmt: skip
    with open_table(tmp_path / "movies.dat") as table:
        (batch,) = table.batches()
    assert batch.rows() == [
        {"item_id": "1", "title": "Toy Story (1995)", "genres": "Animation|Comedy"}
    ]


def test_text_of_a_code_page_is_named_with_its_byte_and_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"user,item\nann,caf\xe9\nbob,tea\n")
    with open_table(tmp_path / "a.csv") as table:
        (batch,) = table.batches()
    assert list(batch.unreadable) == [0]
    assert "byte 0xe9 in 'item'; convert the file" in batch.unreadable[0].reason


def test_a_nul_costs_its_row_and_fields_behind_the_last_column_may_be_empty(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_bytes(b"user,item\nan\0n,tent\nbob,tea,,\n")
    with open_table(tmp_path / "a.csv") as table:
        (batch,) = table.batches()
    assert batch.unreadable[0].reason == "column 'user' holds a NUL byte"
    assert batch.values(1) == {"user": "bob", "item": "tea"}


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.logs.text_source.LINE_BYTES", 1 << 17)
    (tmp_path / "a.csv").write_bytes(b"user,item\n" + b"x" * 400_000)
    with open_table(tmp_path / "a.csv") as table, pytest.raises(ConfigError, match="line 2 of"):
        list(table.batches())


def test_text_that_is_named_parquet_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    path.write_bytes(CSV)
    with open_table(path) as table:
        assert list(table.names) == ["user", "item"]


def test_a_json_object_over_several_lines_is_refused_once_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my events.json"
    path.write_text('{\n  "events": [\n    {"user": "ann"}\n  ]\n}\n')
    with pytest.raises(ConfigError, match=r"has several lines.*: jq -c \. '.*my events\.json'"):
        open_table(path)


def test_a_column_whose_name_is_not_utf_8_is_left_out_and_the_file_s_conversion_is_said(
    tmp_path: Path,
) -> None:
    path = tmp_path / "les films.csv"
    path.write_bytes("id,text,année\n1,a film,1995\n".encode("cp1252"))
    with open_table(path) as table:
        assert [row for batch in table.batches() for row in batch.rows()] == [
            {"id": "1", "text": "a film"}
        ]
    (warning,) = table.warnings
    assert "not UTF-8" in warning
    assert "iconv -f CP1252 -t UTF-8 'les films.csv'" in warning
