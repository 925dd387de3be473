"""A log in a file: the same events whatever the format, and by columns what rows would give."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.events import EventColumns
from penchant.logs.log_columns import LogColumns
from penchant.logs.log_file import LogFile
from penchant.logs.reading import LeftOut
from penchant.logs.record_batches import of_events, read_batch
from penchant.logs.tables.cells import BadRow
from penchant.logs.tables.files import Row

ITEMS = {"a": 0, "b": 1, "7": 2}
ROWS: list[dict[str, Any]] = [
    {"user": "u", "item": "a", "signal": "like", "value": None, "occurred_at": 5, "event_id": "1"},
    {"user": "u", "item": "b", "signal": "rating", "value": 5.0, "occurred_at": 6, "event_id": "2"},
    {"user": "v", "item": "a", "signal": "skip", "value": None, "occurred_at": 7, "event_id": "1"},
    {"user": "v", "item": "7", "signal": "like", "value": 1.0, "occurred_at": 7, "event_id": "9"},
]


def read(
    path: Path, columns: EventColumns | None = None, left_out: LeftOut | None = None
) -> LogColumns:
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


def as_rows(events: LogColumns) -> list[tuple[int, int, float, int]]:
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
def test_what_a_server_refuses_is_left_out_and_counted(tmp_path: Path, name: str) -> None:
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
        "events refused": 2,
        "unreadable rows of events": 1,
    }


def test_rows_without_ids_are_all_events_of_their_own(tmp_path: Path) -> None:
    row = {"user_id": 1, "item_id": 7, "rating": 5, "timestamp": 9}
    for name in ("log.parquet", "log.csv"):
        assert as_rows(read(write(tmp_path / name, [row] * 3))) == [(0, 2, 1.0, 9_000_000)] * 3


def test_a_file_of_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "log.parquet", [{**ROWS[0], "item": "unknown"}])
    with pytest.raises(ConfigError, match="none of the file can be learnt from; item 'unknown'"):
        read(path)


NAMES = st.sampled_from(["a", "b ", "é", "10"])
CELLS: dict[str, st.SearchStrategy[list[Any]]] = {
    "user": st.one_of(st.lists(NAMES, min_size=6, max_size=6), st.just([1, 2, 3, 1, 2, 3])),
    "item": st.lists(NAMES, min_size=6, max_size=6),
    "signal": st.lists(st.sampled_from(["like", "rating"]), min_size=6, max_size=6),
    "value": st.one_of(
        st.just([None] * 6),
        st.lists(st.one_of(st.none(), st.floats(-9, 9)), min_size=6, max_size=6),
        st.lists(st.integers(-9, 9), min_size=6, max_size=6),
    ),
    "occurred_at": st.one_of(
        st.lists(st.integers(-(2**40), 2**40), min_size=6, max_size=6),
        st.lists(st.floats(-1e10, 1e10), min_size=6, max_size=6),
        st.just([datetime(2024, 5, 1, 12, 0, second, 250, UTC) for second in range(6)]),
    ),
    "event_id": st.lists(NAMES, min_size=6, max_size=6),
}


@given(cells=st.fixed_dictionaries(CELLS), unit=st.sampled_from(["s", "ms", "us", "ns"]))
def test_columns_are_read_as_rows_are(cells: dict[str, list[Any]], unit: str) -> None:
    columns = EventColumns(time_unit=unit)
    batch = pa.RecordBatch.from_pydict(cells)
    quick = read_batch(batch, columns)
    assert quick is not None
    slow = of_events([columns.read(Row(1, row)) for row in batch.to_pylist()])
    for name in ("user", "item", "signal", "event_id"):
        one, other = getattr(quick, name), getattr(slow, name)
        assert [one.distinct[code] for code in one.code] == [
            other.distinct[code] for code in other.code
        ]
    np.testing.assert_array_equal(quick.value, slow.value)
    np.testing.assert_array_equal(quick.at_us, slow.at_us)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("user", None),
        ("user", ""),
        ("user", " "),
        ("value", float("inf")),
        ("value", "4"),
        ("occurred_at", None),
        ("occurred_at", float("nan")),
        ("occurred_at", "2024-05-01"),
        ("event_id", None),
    ],
)
def test_a_cell_that_needs_a_closer_look_is_left_to_the_reader_of_rows(
    column: str, cell: object
) -> None:
    batch = pa.RecordBatch.from_pylist([{**ROWS[1], column: cell}])
    assert read_batch(batch, EventColumns()) is None


def test_a_row_that_can_not_be_read_stops_nothing(tmp_path: Path) -> None:
    left_out = LeftOut()
    rows = [{**ROWS[0], "user": None}, *ROWS]
    assert len(read(write(tmp_path / "log.parquet", rows), left_out=left_out).item) == len(ROWS)
    with pytest.raises(BadRow):
        EventColumns().read(Row(1, rows[0]))
    assert left_out.first["unreadable rows of events"].startswith("row 1: user")
