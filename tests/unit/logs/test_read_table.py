"""Files to items and events: columns by their usual names, and rows that can't be read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event, Item
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events, read_items
from penchant.logs.refusals import LeftOut


def items_of(path: Path, rows: Iterable[Any], columns: ItemColumns | None = None) -> list[Item]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with open_table(path) as table:
        return read_items(table, columns or ItemColumns(), LeftOut())


def events_of(
    path: Path, text: str, columns: EventColumns | None = None, left_out: LeftOut | None = None
) -> list[Event]:
    path.write_text(text)
    with open_table(path) as table:
        return list(read_events(table, columns or EventColumns(), left_out or LeftOut()))


def test_items_by_either_name_of_the_id_and_the_later_of_two(tmp_path: Path) -> None:
    rows = [{"item_id": 1, "text": "old"}, {"item_id": 2, "text": "two"}]
    rows.append({"item_id": 1, "text": "new"})
    found = items_of(tmp_path / "items.jsonl", rows)
    assert [(item.id, item.text) for item in found] == [("1", "new"), ("2", "two")]


def test_events_by_the_names_of_import_or_the_other_usual_ones(tmp_path: Path) -> None:
    one = events_of(tmp_path / "a.csv", "user,item,signal,value,occurred_at\nann,1,view,,5\n")
    two = events_of(tmp_path / "b.csv", "user_id,item_id,signal,timestamp\nann,1,view,5\n")
    assert [one[0].user, one[0].item, one[0].signal, one[0].occurred_at_us] == [
        "ann", "1", "view", 5_000_000
    ]  # fmt: skip
    assert (two[0].user, two[0].item, two[0].occurred_at_us) == ("ann", "1", 5_000_000)


def test_a_rating_column_is_signal_and_value(tmp_path: Path) -> None:
    (event,) = events_of(tmp_path / "a.csv", "user_id,item_id,rating,timestamp\n7,1,4.5,9\n")
    assert (event.signal, event.value) == ("rating", 4.5)


def test_columns_that_are_named_come_before_the_usual_ones(tmp_path: Path) -> None:
    columns = EventColumns(user="who", constant_signal="click")
    text = "who,user_id,item_id,rating,timestamp\nann,bob,1,4,9\n"
    (event,) = events_of(tmp_path / "a.csv", text, columns)
    assert (event.user, event.signal, event.value) == ("ann", "click", 4.0)


def test_a_file_without_one_good_row_says_what_is_wrong_with_the_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no row can be read; row 1, line 2: user: column 'user"):
        events_of(tmp_path / "a.csv", "user,item,signal,occurred_at\n,1,like,5\n")
    with pytest.raises(ConfigError, match=r"events: no row can be read; the file has no rows"):
        events_of(tmp_path / "b.csv", "")


def test_bad_rows_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    left_out = LeftOut()
    text = "user,item,signal,occurred_at\nann,1,like,5\nann,1,like\nann,,like,5\n"
    assert len(events_of(tmp_path / "a.csv", text, left_out=left_out)) == 1
    assert left_out.counts == {"unreadable rows of events": 2}
    assert left_out.first["unreadable rows of events"] == "row 2, line 3: got 3 fields, expected 4"
