"""Whatever the bytes of a file: one foreseen error, or rows that account for every line."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.logs.bulk_import import ImportEventsRequest, SentBatch, import_events
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events, read_items
from penchant.logs.refusals import LeftOut

LINES = [
    "user,item,signal,value,occurred_at",
    'ann,"tent, blue",like,,1500000000',
    'bob,"a ""quoted"" one",rating,4,2024-05-01T12:00:00Z',
    'cid,"two\nlines",rating,4.5,1500000001',
    "dan,rope,like,,1500000002",
]
CSV = "\n".join(LINES * 3).encode()
JSON = "".join(
    json.dumps({"user": f"u{n}", "item": "é", "signal": "like", "occurred_at": 1500000000 + n})
    + "\n"
    for n in range(12)
).encode()
TABLE = pa.table(
    {
        "user": [f"u{n}" for n in range(50)],
        "item": ["tent", "rope"] * 25,
        "signal": ["like"] * 50,
        "occurred_at": pa.array([1_500_000_000_000 + n for n in range(50)], pa.timestamp("ms")),
        "context.room": pa.array(["hall", None] * 25),
    }
)


def parquet() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(TABLE, sink, compression="none")
    return bytes(sink.getvalue())


SOURCES = {
    "csv": CSV,
    "jsonl": JSON,
    "csv.gz": gzip.compress(CSV, mtime=0),
    "csv.zst": pa.compress(CSV, "zstd", asbytes=True),
    "parquet": parquet(),
}
ODD = st.sampled_from(
    [b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"{", b"[", b"\xef\xbb\xbf", b";"]
)
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(ODD, st.binary(max_size=8))),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    for place, cut, new in damage:
        at = int(place * len(content))
        content = content[:at] + new + content[at + cut :]
    return content


def physical_lines(content: bytes) -> int:
    return len(content.splitlines())


def accounted_lines(content: bytes, path: Path) -> None:
    """Rows, blank lines and the heading cover the lines of a CSV file, each once and in order."""
    path.write_bytes(content)
    try:
        table = open_table(path, "csv", recovers=True)
    except ConfigError:
        return
    with table:
        try:
            batches = list(table.batches(rows=3))
        except ConfigError:
            return  # A packed file is damaged.
        starts = [line for batch in batches for line in batch.line.tolist()]  # type: ignore[union-attr]  # CSV.
        assert starts == sorted(set(starts))
        assert all(1 <= line <= physical_lines(content) for line in starts)
        lines = content.splitlines(keepends=True)
        ends = [*starts[1:], len(lines) + 1]
        rows = [(batch, at) for batch in batches for at in range(len(batch))]
        for (batch, at), start, end in zip(rows, starts, ends, strict=True):
            between = [line for line in lines[start : end - 1] if line.strip()]
            # A field of several lines holds them, unless its column has lost its name.
            if between and at not in batch.unreadable and all(table.names):
                text = "".join(str(cell) for cell in batch.values(at).values())
                assert all(
                    line.strip().replace(b'""', b'"').split(b'"')[0].decode() in text
                    for line in between
                )


@pytest.mark.parametrize("suffix", SOURCES)
@settings(max_examples=150, deadline=None)
@given(damage=DAMAGE)
def test_a_damaged_file_is_read_or_refused_by_name(
    suffix: str, damage: list[tuple[float, int, bytes]]
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / f"events.{suffix}"
        path.write_bytes(damaged(SOURCES[suffix], damage))
        left_out = LeftOut()
        for read in (
            lambda table: read_events(table, EventColumns(), left_out),
            lambda table: read_items(table, ItemColumns(id="user", text="item"), left_out),
        ):
            refusal = ""
            try:
                with open_table(path) as table:
                    assert len(read(table)) > 0
            except ConfigError as error:
                refusal = str(error)
            assert refusal.isprintable()
        assert all(left_out.first.values())


@settings(max_examples=300, deadline=None)
@given(damage=DAMAGE)
def test_every_line_of_a_damaged_csv_file_is_accounted_for(
    damage: list[tuple[float, int, bytes]],
) -> None:
    with TemporaryDirectory() as directory:
        accounted_lines(damaged(CSV, damage), Path(directory) / "events.csv")


@pytest.mark.parametrize("suffix", SOURCES)
@settings(max_examples=60, deadline=None)
@given(damage=DAMAGE)
def test_an_import_counts_every_row_of_a_damaged_file(
    suffix: str, damage: list[tuple[float, int, bytes]]
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / f"events.{suffix}"
        path.write_bytes(damaged(SOURCES[suffix], damage))
        sent = 0

        def send(batch: object) -> SentBatch:
            nonlocal sent
            sent += len(batch)  # type: ignore[arg-type]  # A sequence of events.
            return SentBatch({"accepted": len(batch)})  # type: ignore[arg-type]

        try:
            report = import_events(ImportEventsRequest(path), "there", send)
        except ConfigError:
            return
        with open_table(path, recovers=True) as table:
            rows = sum(len(batch) for batch in table.batches())
        assert report.counts.get("accepted", 0) == sent
        assert sent + report.counts.get("rejected", 0) == rows


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20),
            min_size=3,
            max_size=3,
        ),
        max_size=6,
    )
)
def test_what_pythons_writer_writes_is_read_back(rows: list[list[str]]) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "items.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerows([["user", "item", "note"], *rows])
        with open_table(path) as table:
            got = [list(row.values()) for batch in table.batches() for row in batch.rows()]
    assert got == rows
