"""JSON lines: objects of any cells, and lines that are none."""

from __future__ import annotations

import json
from pathlib import Path

from penchant.logs.open_table import open_table


def test_a_line_that_is_no_object_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_bytes(b'{"a": 1}\n[1]\n\n{"a": \n\xff\n{"a": 2}')
    with open_table(path) as table:
        (batch,) = table.batches()
    assert batch.number.tolist() == [1, 2, 4, 5, 6]
    assert list(batch.unreadable) == [1, 2, 3]
    assert [row.reason.partition(":")[0] for row in batch.unreadable.values()] == [
        "got a JSON list, expected an object", "not JSON",
        "not UTF-8; convert the file, from Windows' code page",
    ]  # fmt: skip
    assert (batch.values(0), batch.values(4)) == ({"a": 1}, {"a": 2})


def test_the_names_are_those_of_the_first_readable_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('[1]\n{"b": 1, "a": 2}\n{"c": 3}\n')
    with open_table(path) as table:
        assert list(table.names) == ["b", "a"]
        (batch,) = table.batches()
    assert list(batch.columns) == ["b", "a", "c"]


def test_cells_of_any_types_are_given_back(tmp_path: Path) -> None:
    rows = [
        {"a": 1, "b": "x", "c": [1], "d": 2.5},
        {"a": None, "b": 2, "d": None},
        {"a": 2**70, "b": "\ud800", "c": {"e": None}},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with open_table(path) as table:
        (batch,) = table.batches()
    assert [batch.values(position) for position in range(3)] == rows
    assert batch.rows() == rows
    assert (batch.has("c", 0), batch.has("c", 1), batch.has("a", 1)) == (True, False, True)


def test_a_line_with_a_doubled_key_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user": "ann", "item": 1}\n{"user": "ann", "item": 1, "user": "bob"}\n')
    with open_table(path) as table:
        (batch,) = table.batches()
    assert {at: row.reason for at, row in batch.unreadable.items()} == {
        1: "the key 'user' is given twice; remove one"
    }
