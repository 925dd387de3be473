"""An id that was lost on the way into a file never makes one user of many."""

from __future__ import annotations

import json
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


ROW = {"user": "ann", "item": "tent", "signal": "like", "occurred_at": 9, "event_id": "e1"}


@pytest.mark.parametrize("field", ["user", "item", "event_id", "recommendation_id"])
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("true", "true or false, True"),
        ("false", "true or false, False"),
        ('{"id": 1}', "a list or an object"),
        ("[1]", "a list or an object"),
        ("7.5", "a number with decimals, 7.5"),
        ("9007199254740993.0", "a number of which the last digits are lost"),
        ("1e400", "a number of which the last digits are lost, inf"),
        ("-Infinity", "a number of which the last digits are lost, -inf"),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_a_value_of_a_type_that_no_id_has_is_refused_with_its_line(
    tmp_path: Path, field: str, cell: str, said: str, alone: bool
) -> None:
    """Among texts, and where every cell of the column is one."""
    path = tmp_path / "events.jsonl"
    good, bad = json.dumps(ROW), json.dumps({**ROW, field: "?"}).replace('"?"', cell)
    path.write_text(f"{bad}\n{bad}\n" if alone else f"{good}\n{bad}\n")
    if alone:
        with pytest.raises(ConfigError) as error:
            events(path)
        assert f"row 1, line 1: column '{field}' holds {said}" in str(error.value)
        return
    users, left_out = events(path)
    assert users == ["ann"]
    assert f"row 2, line 2: column '{field}' holds {said}" in left_out.first_case


@pytest.mark.parametrize("cell", ["true", "null", "{}", "7.5"])
def test_an_item_of_such_an_id_is_refused_with_its_line(tmp_path: Path, cell: str) -> None:
    path, left_out = tmp_path / "items.jsonl", LeftOut()
    path.write_text(f'{{"id": 1, "text": "a tent"}}\n{{"id": {cell}, "text": "a rope"}}\n')
    with open_table(path) as table:
        assert [item.id for item in read_items(table, ItemColumns(), left_out)] == ["1"]
    assert left_out.first_case.startswith("row 2, line 2: ")


def test_whole_numbers_are_ids_however_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    cells = ["7", "7.0", '"7"', "7e0", "12345678901234567890123"]
    lines = (json.dumps({**ROW, "user": "?"}).replace('"?"', cell) for cell in cells)
    path.write_text("\n".join(lines))
    assert events(path)[0] == ["7"] * 4 + ["12345678901234567890123"]


@pytest.mark.parametrize(
    "users",
    [
        pa.array([True, None]),
        pa.array([7.5, 8.25]),
        pa.array([2.0**24, None], pa.float32()),
        pa.array([float("inf"), float("nan")]),
    ],
)
def test_a_column_of_such_a_type_in_parquet_is_refused(tmp_path: Path, users: pa.Array) -> None:
    path = tmp_path / "events.parquet"
    rest = {"item": ["tent"] * 2, "signal": ["like"] * 2, "occurred_at": [9, 9]}
    pq.write_table(pa.table({"user": users, **rest}), path)
    with pytest.raises(
        ConfigError, match=r"column 'user' holds .* expected text or a whole number"
    ):
        events(path)
