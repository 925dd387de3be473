"""A log in a file as four arrays: the same whatever the format, without the refused events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.columns import EventColumns
from penchant.logs.interactions import Interactions, LogFile
from penchant.logs.refusals import LeftOut

ITEMS = {"a": 0, "b": 1, "7": 2}
ROWS: list[dict[str, Any]] = [
    {"user": "u", "item": "a", "signal": "like", "value": None, "occurred_at": 5, "event_id": "1"},
    {"user": "u", "item": "b", "signal": "rating", "value": 5.0, "occurred_at": 6, "event_id": "2"},
    {"user": "v", "item": "a", "signal": "skip", "value": None, "occurred_at": 7, "event_id": "1"},
    {"user": "v", "item": "7", "signal": "like", "value": 1.0, "occurred_at": 7, "event_id": "9"},
]


def read(
    path: Path, columns: EventColumns | None = None, left_out: LeftOut | None = None
) -> Interactions:
    file = LogFile(path, None, columns or EventColumns())
    return file.read(ITEMS, DEFAULT_SIGNALS, left_out or LeftOut())


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        cells = [["" if cell is None else str(cell) for cell in row.values()] for row in rows]
        lines = [list(rows[0]), *cells]
        path.write_text("".join(",".join(line) + "\n" for line in lines))
    return path


def as_rows(events: Interactions) -> list[tuple[int, int, float, int]]:
    columns = (events.user, events.item, events.reward, events.at_us)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl", "log.csv"])
def test_every_format_gives_the_same_events(tmp_path: Path, name: str) -> None:
    assert as_rows(read(write(tmp_path / name, ROWS))) == [
        (0, 0, 1.0, 5_000_000),
        (0, 1, 1.0, 6_000_000),
        (1, 0, pytest.approx(-0.3), 7_000_000),
        (1, 2, 1.0, 7_000_000),
    ]


@pytest.mark.parametrize("name", ["log.parquet", "log.jsonl"])
def test_events_that_a_server_refuses_are_left_out_and_counted(tmp_path: Path, name: str) -> None:
    more = [
        ROWS[0],
        {**ROWS[0], "event_id": "3", "item": "unknown"},
        {**ROWS[0], "event_id": "4", "signal": "wave"},
        {**ROWS[0], "event_id": "5", "signal": "rating"},
        {**ROWS[0], "event_id": "6", "signal": "impression"},
        {**ROWS[0], "event_id": "7", "user": ""},
    ]
    left_out = LeftOut()
    events = read(write(tmp_path / name, [*ROWS, *more]), left_out=left_out)
    assert len(events.item) == len(ROWS)
    assert left_out.counts == {
        "events known already": 1,
        "events about unknown items": 1,
        "events refused": 1,
        "events with the signal 'wave', which the signal table does not hold": 1,
        "unreadable rows of events": 1,
    }


def test_rows_without_ids_are_all_events_of_their_own(tmp_path: Path) -> None:
    row = {"user_id": 1, "item_id": 7, "rating": 5, "timestamp": 9}
    for name in ("log.parquet", "log.csv"):
        assert as_rows(read(write(tmp_path / name, [row] * 3))) == [(0, 2, 1.0, 9_000_000)] * 3


def test_a_file_of_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "log.parquet", [{**ROWS[0], "item": "unknown"}])
    with pytest.raises(ConfigError, match=r"none of the file can be learnt from; .*item 'unknown'"):
        read(path)


def test_a_row_that_can_not_be_read_stops_nothing(tmp_path: Path) -> None:
    left_out = LeftOut()
    rows = [{**ROWS[0], "user": None}, *ROWS]
    assert len(read(write(tmp_path / "log.parquet", rows), left_out=left_out).item) == len(ROWS)
    assert left_out.first["unreadable rows of events"].startswith("row 1: user")


def test_an_outcome_with_the_id_of_an_impression_is_known_already(tmp_path: Path) -> None:
    shown = {**ROWS[0], "signal": "impression", "event_id": "8"}
    left_out = LeftOut()
    path = write(tmp_path / "log.jsonl", [shown, {**ROWS[0], "event_id": "8"}, ROWS[1]])
    assert len(read(path, left_out=left_out).item) == 1
    assert left_out.first == {"events known already": "event_id '8'"}
