"""One table of usual column names, for every command that reads a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.found_columns import columns_of
from penchant.logs.known_columns import KNOWN
from penchant.logs.open_table import open_table
from penchant.logs.table_file import TableFile


def table_of(path: Path, text: str) -> TableFile:
    path.write_text(text)
    return open_table(path)


@pytest.mark.parametrize(
    ("heading", "user", "item", "at"),
    [
        ("user_id,item_id,rating,timestamp", "user_id", "item_id", "timestamp"),
        ("userId,movieId,rating,timestamp", "userId", "movieId", "timestamp"),
        ("uid;asin;stars;event_time", "uid", "asin", "event_time"),
        ("User ID\tProduct-Id\tRating\tTS", "User ID", "Product-Id", "TS"),
        ("reviewerID,asin,overall,unixReviewTime", "reviewerID", "asin", "unixReviewTime"),
        ("user,user_id,item,item_id,rating,occurred_at,ts", "user", "item", "occurred_at"),
    ],
)
def test_usual_names_are_found_however_they_are_written(
    tmp_path: Path, heading: str, user: str, item: str, at: str
) -> None:
    with table_of(tmp_path / "events.csv", heading + "\n") as table:
        found = columns_of(table, EventColumns())
    assert (found.user, found.item, found.occurred_at) == (user, item, at)
    assert (found.constant_signal, found.value in heading) == ("rating", True)


@pytest.mark.parametrize("name", KNOWN["id"])
def test_usual_ids_of_items_are_found(name: str) -> None:
    assert ItemColumns().found_in([name.upper(), "Text"]) == ItemColumns(name.upper(), "Text")


def test_two_columns_that_could_be_the_one_are_refused_with_both_names(tmp_path: Path) -> None:
    with table_of(tmp_path / "events.csv", "user_id,uid,item,signal,ts\n") as table:
        with pytest.raises(ConfigError, match=r"user: got the columns 'user_id', 'uid', expected"):
            columns_of(table, EventColumns())
        assert columns_of(table, EventColumns(user="uid")).user == "uid"


def test_a_file_that_lacks_a_column_is_refused_with_those_that_it_has(tmp_path: Path) -> None:
    with (
        table_of(tmp_path / "a.csv", "UserId^ItemId^Rating\n1^2^3\n") as table,
        pytest.raises(ConfigError, match=r"no column for user, item.*UserId\^ItemId\^Rating;"),
    ):
        columns_of(table, EventColumns())
    with (
        table_of(tmp_path / "b.csv", "movieId,title,year\n1,Heat,1995\n") as table,
        pytest.raises(ConfigError, match=r"text: .*--text-template '\{title\}'"),
    ):
        columns_of(table, ItemColumns())


def test_a_file_without_a_heading_is_refused_and_says_how_to_name_its_columns(
    tmp_path: Path,
) -> None:
    with table_of(tmp_path / "a.csv", "1,1193,5,978300760\n") as table:
        with pytest.raises(
            ConfigError, match=r"its first row is data; .*--map 1=user --map 2=item"
        ):
            columns_of(table, EventColumns())
        named = EventColumns(
            user="1", item="2", value="3", occurred_at="4", constant_signal="rating"
        )
        assert columns_of(table, named) == named
        (batch,) = table.batches()
    assert batch.rows() == [{"1": "1", "2": "1193", "3": "5", "4": "978300760"}]
    assert batch.line is not None
    assert batch.line.tolist() == [1]


NAMED = [
    (EventColumns(value="Stars"), "value: no column is named 'Stars'; did you mean 'stars'"),
    (EventColumns(user="usr"), "user: no column is named 'usr'; did you mean 'user'"),
    (EventColumns(signal="action"), "signal: no column is named 'action'"),
    (EventColumns(event_id="key", constant_signal="like"), "event_id: no column is named 'key'"),
    (EventColumns(recommendation_id="list"), "recommendation_id: no column is named 'list'"),
    (ItemColumns(id="user", text="name"), "text: no column is named 'name'"),
    (ItemColumns(id="user", text_template="{item} {yaer}"), "text: no column is named 'yaer'"),
]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize(("columns", "problem"), NAMED)
def test_a_column_that_is_named_must_be_there_whatever_it_is_for(
    tmp_path: Path, suffix: str, columns: EventColumns | ItemColumns, problem: str
) -> None:
    rows = {
        "csv": "user,item,stars,ts\nann,tent,5,9\n",
        "jsonl": '{"user": "ann", "item": "tent", "stars": 5, "ts": 9}\n',
    }
    with (
        table_of(tmp_path / f"log.{suffix}", rows[suffix]) as table,
        pytest.raises(ConfigError, match=re.escape(problem)),
    ):
        columns_of(table, columns)


@pytest.mark.parametrize("place", [1, 2, 5, 40])
def test_json_lines_are_looked_through_for_a_column_that_the_first_row_lacks(
    tmp_path: Path, place: int
) -> None:
    rows = ['{"user": "ann", "item": "tent", "signal": "like", "ts": 9}\n'] * 40
    rows.insert(place, '{"user": "ann", "item": "tent", "signal": "like", "ts": 9, "stars": 5}\n')
    with table_of(tmp_path / "log.jsonl", "".join(rows)) as table:
        found = columns_of(table, EventColumns(value="stars"))
        (batch,) = table.batches()
    assert (found.value, len(batch)) == ("stars", 41)


def test_json_is_not_asked_for_its_separator(tmp_path: Path) -> None:
    with (
        table_of(tmp_path / "log.jsonl", '{"events": [1]}\n') as table,
        pytest.raises(ConfigError) as refusal,
    ):
        columns_of(table, EventColumns())
    assert "separate" not in str(refusal.value)


def test_rows_of_json_lines_that_all_lack_a_field_are_refused_at_once(tmp_path: Path) -> None:
    with (
        table_of(tmp_path / "log.jsonl", '{"user": "ann", "movie": 1}\n' * 9) as table,
        pytest.raises(ConfigError, match=r"no column for item, signal.*it has user, movie"),
    ):
        columns_of(table, EventColumns())
