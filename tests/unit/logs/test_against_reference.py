"""Streams of files equal those of a plain reader: Python's csv module and one loop over the rows.

The reference shares no code with the reader but the types, the signal table and the digest of
events without an id.
"""

from __future__ import annotations

import csv
import dataclasses
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import InvalidEvent
from penchant.domain.rewards import Signal, admit
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.datasets.movielens import MovieLens, read_movielens
from penchant.logs.event_log import event_id_of
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream

FIELDS = ("user", "item", "signal", "value", "occurred_at", "event_id", "context.room")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def reference_events(path: Path) -> Iterator[Event]:
    """The events of a CSV file of `FIELDS`; rows that are none are passed over."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(FIELDS):
            continue
        cells = dict(zip(FIELDS, row, strict=True))
        try:
            event = Event(
                event_id=cells["event_id"].strip(),
                user=cells["user"].strip(),
                item=cells["item"].strip(),
                signal=cells["signal"].strip(),
                value=float(cells["value"]) if cells["value"] else None,
                occurred_at_us=reference_time_us(cells["occurred_at"]),
                context=(("room", room),) if (room := cells["context.room"].strip()) else (),
            )
        except ValueError:
            continue
        if event.user.isprintable() and event.user and event.item and event.signal:
            own = event.event_id or event_id_of(event, number)
            yield dataclasses.replace(event, event_id=own)


CHOSEN = {**DEFAULT_SIGNALS, "chosen": Signal(reward=1.0)}
"""A table that somebody chose, which nothing is assumed over."""


def reference_time_us(cell: str) -> int:
    try:
        seconds = float(cell)
    except ValueError:
        when = datetime.fromisoformat(cell)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - EPOCH).total_seconds()
    if seconds < 0:
        raise ValueError("before 1970")
    return round(seconds * 1e6)


def assert_is_stream_of(
    stream: Stream, items: Sequence[Item], events: Iterator[Event], least: float
) -> None:
    """Compares a stream with one loop over events in the order of the file."""
    numbers = {item.id: number for number, item in enumerate(items)}
    kept, known = [], set()
    for event in events:
        if event.item in numbers and (event.user, event.event_id) not in known:
            try:
                outcome = admit(CHOSEN, event.signal, event.value)
            except InvalidEvent:
                continue
            known.add((event.user, event.event_id))
            kept.append((event, outcome))
    kept.sort(key=lambda pair: pair[0].occurred_at_us)
    users = list(dict.fromkeys(event.user for event, _ in kept))
    assert list(stream.items) == list(items)
    assert list(stream.users) == users
    assert list(stream.events) == [event for event, _ in kept]
    assert stream.user.tolist() == [users.index(event.user) for event, _ in kept]
    assert stream.item.tolist() == [numbers[event.item] for event, _ in kept]
    assert stream.at_us.tolist() == [event.occurred_at_us for event, _ in kept]
    rewards = np.array([(outcome.reward, outcome.weight) for _, outcome in kept], np.float32)
    np.testing.assert_array_equal(stream.reward, rewards[:, 0])
    np.testing.assert_array_equal(stream.weight, rewards[:, 1])
    assert stream.relevant.tolist() == [
        event.value is not None and event.value >= least for event, _ in kept
    ]
    assert kept


def write(path: Path, heading: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([heading, *rows])
    return path


def write_items(path: Path, items: Sequence[Item]) -> Path:
    keys = sorted({key for item in items for key in item.attributes})
    rows = [[item.id, item.text, *(item.attributes.get(key, "") for key in keys)] for item in items]
    return write(path, ["id", "text", *keys], rows)


def read(items: Path, events: Path) -> Stream:
    source = LogSource(items, events)
    return read_log(source, CHOSEN, "value>=4", LeftOut(), "test")


@pytest.fixture(scope="module")
def movielens() -> MovieLens:
    return read_movielens()


def test_movielens_in_a_file_is_movielens(movielens: MovieLens, tmp_path: Path) -> None:
    ratings = [
        (one.user, one.item, one.signal, one.value, one.occurred_at_us // 10**6, one.event_id, "")
        for one in movielens.ratings[:20_000]
    ]
    items = write_items(tmp_path / "items.csv", movielens.films)
    events = write(tmp_path / "events.csv", FIELDS, ratings)
    stream = read(items, events)
    assert list(stream.events) == list(movielens.ratings[:20_000])
    assert_is_stream_of(stream, movielens.films, reference_events(events), least=4)


@pytest.mark.parametrize("seed", range(5))
def test_odd_files(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed).choice
    rows = [
        [
            choose(["ann", " bob", "é x", "10", "", 'q"q', "a\nb", "u,1"]),
            choose(["a", "b ", "7", "unknown", ""]),
            choose(["like", "rating", "impression", "wave", ""]),
            choose(["", "4", "5.0", "1e0", " 3 ", "+2", "many"]),
            choose(["5", "17.25", "2024-05-01T12:00:00Z", "2024-05-01", "1999-12-31 23:59:59+02:00",
                    "-7", "soon", ""]),
            choose(["1", "2", "e 3", ""]),
            choose(["", " ", "hall"]),
        ][: choose([7] * 9 + [6])]
        for _ in range(600)
    ]  # fmt: skip
    catalog = [Item(id_, f"item {id_}") for id_ in ("a", "b", "7")]
    events = write(tmp_path / "events.csv", FIELDS, rows)
    stream = read(write_items(tmp_path / "items.csv", catalog), events)
    assert_is_stream_of(stream, catalog, reference_events(events), least=4)
