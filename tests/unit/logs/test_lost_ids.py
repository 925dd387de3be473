"""An id that was lost on the way into a file never makes one user of many."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events, read_items
from penchant.logs.refusals import LeftOut


def events(path: Path) -> tuple[list[str], LeftOut]:
    """The users of a file's events, and what was left out."""
    left_out = LeftOut()
    with open_table(path) as table:
        return [event.user for event in read_events(table, EventColumns(), left_out)], left_out


@pytest.mark.parametrize(
    "lost", ["nan", "NaN", "null", "NULL", "None", "<NA>", "NA", "#N/A", "\\N", "5.02E+11"]
)
@pytest.mark.parametrize("row", ["{},tent,like,9,", "ann,{},like,9,", "ann,tent,like,9,{}"])
def test_an_id_that_csv_has_lost_is_refused(tmp_path: Path, lost: str, row: str) -> None:
    path = tmp_path / "events.csv"
    lines = ["user,item,signal,occurred_at,event_id", "bob,rope,like,9,e1", row.format(lost)]
    path.write_text("\n".join(lines) + "\n")
    users, left_out = events(path)
    assert (users, sum(left_out.counts.values())) == (["bob"], 1)
    assert repr(lost) in left_out.first_case


def test_an_item_without_an_id_is_refused_and_a_text_may_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "songs.csv"
    path.write_text("id,text\n1,None\nnan,Hello\n")
    with open_table(path) as table:
        assert [item.id for item in read_items(table, ItemColumns(), LeftOut())] == ["1"]


@pytest.mark.parametrize("id_", ["nanette", "Nonesuch", "nulla", "1E10", "E+11", "NAN1", "Ann.0"])
def test_an_id_that_only_resembles_a_lost_one_is_kept(tmp_path: Path, id_: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"user,item,signal,occurred_at\n{id_},tent,like,9\n")
    assert events(path)[0] == [id_]


@pytest.mark.parametrize("lost", ["nan", "None", "NaT", "<NA>", "", "  "])
def test_an_id_that_pandas_has_lost_on_the_way_to_parquet_is_refused(
    tmp_path: Path, lost: str
) -> None:
    path = tmp_path / "events.parquet"
    rows = {"user": [lost, "bob"], "item": ["tent"] * 2, "signal": ["like"] * 2}
    pq.write_table(pa.table({**rows, "occurred_at": [9, 9]}), path)
    users, left_out = events(path)
    assert (users, sum(left_out.counts.values())) == (["bob"], 1)


def test_where_the_file_knows_types_such_a_text_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"user": "None", "item": "tent", "signal": "like", "occurred_at": 9}\n')
    assert events(path)[0] == ["None"]


def test_a_list_or_an_object_is_no_id(tmp_path: Path) -> None:
    parquet, lines = tmp_path / "events.parquet", tmp_path / "events.jsonl"
    rest = {"item": ["tent"] * 2, "signal": ["like"] * 2, "occurred_at": [9, 9]}
    pq.write_table(pa.table({"user": [["ann"], ["bob"]], **rest}), parquet)
    lines.write_text(
        '{"user": {"id": 1}, "item": "tent", "signal": "like", "occurred_at": 9}\n'
        '{"user": "ann", "item": ["tent"], "signal": "like", "occurred_at": 9}\n'
    )
    for path in (parquet, lines):
        with pytest.raises(ConfigError, match="column 'user' holds a list or an object"):
            events(path)
