"""CSV files as people have them: rows that don't fit, odd headings, and where each row begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.logs.columns import ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_items
from penchant.logs.refusals import LeftOut
from penchant.logs.row_batch import RowBatch


def batch_of(path: Path, content: bytes) -> RowBatch:
    path.write_bytes(content)
    with open_table(path) as table:
        (batch,) = table.batches()
    return batch


def test_a_row_that_does_not_fit_leaves_the_others_alone(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfuser,item\na,1\nb\n\nc,3,4\n\xff,5\n"x"y,6\nd,"7\n8"\n'
    batch = batch_of(tmp_path / "rows.csv", content)
    fields = "got {} fields, expected 2"
    reasons = [fields.format(1), fields.format(3), "not UTF-8", "not CSV"]
    assert [row.reason.partition(":")[0] for row in batch.unreadable.values()] == reasons
    assert list(batch.unreadable) == [1, 2, 3, 4]
    assert batch.values(0) == {"user": "a", "item": "1"}
    assert batch.values(5) == {"user": "d", "item": "7\n8"}
    assert batch.values(1) == {"user": "b"}


def test_the_line_on_which_a_row_begins_is_known(tmp_path: Path) -> None:
    content = b'user,"the\nitem"\r\na,"1\n2\n3"\r\n\r\nb,4\r\n"x"y,\r\nc,5'
    batch = batch_of(tmp_path / "rows.csv", content)
    assert batch.line is not None
    assert batch.line.tolist() == [3, 7, 8, 9]
    assert batch.number.tolist() == [1, 2, 3, 4]


def test_a_heading_that_is_not_utf8_spoils_no_row(tmp_path: Path) -> None:
    assert not batch_of(tmp_path / "rows.csv", b"user,caf\xe9\na,1\n").unreadable


def test_a_byte_order_mark_before_a_quoted_heading_is_no_part_of_the_name(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "rows.csv", b'\xef\xbb\xbf"user","item"\na,1\n')
    assert batch.values(0) == {"user": "a", "item": "1"}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_seen_in_the_heading(tmp_path: Path, delimiter: str) -> None:
    content = delimiter.join(("user", "item")) + "\n" + delimiter.join(("a,b", "1")) + "\n"
    batch = batch_of(tmp_path / "rows.csv", content.encode())
    assert batch.values(0) == {"user": "a,b", "item": "1"}


def test_a_column_without_a_name_such_as_an_index_of_pandas_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(",id,text,\n0,1,Heat,\n1,2,Fargo,\n")
    with open_table(path) as table:
        items = read_items(table, ItemColumns(), LeftOut())
    assert [(item.id, item.text, dict(item.attributes)) for item in items] == [
        ("1", "Heat", {}), ("2", "Fargo", {})
    ]  # fmt: skip


def test_a_column_that_nobody_reads_costs_no_row(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes("user,item,région\nann,tent,Orléans\n".encode("latin-1"))
    with open_table(path) as table:
        (batch,) = table.batches()
    assert (batch.rows(), dict(batch.unreadable)) == ([{"user": "ann", "item": "tent"}], {})
    assert "is not UTF-8" in table.warnings[0]


def test_comments_before_the_heading_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("# exported 2026-05-01, by CRM\n# rows: 2\n\nuser,item\na,1\nb,2\n")
    with open_table(path) as table:
        (batch,) = table.batches()
    assert batch.rows() == [{"user": "a", "item": "1"}, {"user": "b", "item": "2"}]
    assert batch.line is not None
    assert batch.line.tolist() == [5, 6]
    assert table.warnings == ["rows.csv begins with comments, which are not read: 2 lines"]


def test_a_heading_that_begins_with_a_comment_sign_is_one(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "rows.csv", b"# made by hand\n#user,item\na,1\nb,2\n")
    assert batch.rows() == [{"user": "a", "item": "1"}, {"user": "b", "item": "2"}]
    assert batch.line is not None
    assert batch.line.tolist() == [3, 4]
