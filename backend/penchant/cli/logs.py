"""A log to learn from or to replay: two files of one's own, a server's store, or MovieLens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from penchant.cli.import_ import mapped_fields
from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event, Item
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.events import EventColumns, ItemColumns
from penchant.logs.reading import LeftOut, make_stream, read_events, read_items
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.store_log import items_and_events
from penchant.logs.stream import Stream
from penchant.logs.tables.files import open_table
from penchant.store.open import open_store

ITEM_FIELDS = ("id", "text")
EVENT_FIELDS = ("user", "item", "signal", "value", "occurred_at", "event_id", "recommendation_id")
MOVIELENS, GOOD_RATING = "movielens", "rating>=4"


@dataclass(frozen=True, slots=True)
class Source:
    """Where items and events come from."""

    items: Path | None
    events: Path | None
    dataset: str
    format: str | None
    item_columns: ItemColumns
    event_columns: EventColumns
    store: str = ""
    """Of a server, `lmdb:DIRECTORY`; empty: none."""

    @property
    def relevant(self) -> str:
        """What counts as a hit where nobody says so."""
        return GOOD_RATING if self.dataset else POSITIVE


def event_columns(mapped: Sequence[str] | None, signal: str, time_unit: str) -> EventColumns:
    """Where an event's fields are, by `COLUMN=FIELD` options; ConfigError where one is wrong."""
    fields = mapped_fields(mapped, EVENT_FIELDS)
    return EventColumns(constant_signal=signal, time_unit=time_unit, **fields)


def read_source(
    source: Source, left_out: LeftOut, nothing: str
) -> tuple[Sequence[Item], Sequence[Event]]:
    """The items and the events.

    Raises:
        ConfigError: the options do not fit, or a file can't be read; where none is named, the
            text begins with `nothing`.
    """
    if source.store:
        if source.dataset or source.items or source.events:
            raise ConfigError("--store: expected neither --items, --events nor --dataset with it")
        return _read_store(source.store)
    if source.dataset:
        if source.dataset != MOVIELENS or source.items or source.events:
            raise ConfigError(
                f"--dataset: got {source.dataset!r}, expected {MOVIELENS}, and then neither "
                "--items nor --events"
            )
        data = read_movielens()
        return data.films, data.ratings
    if source.items is None or source.events is None:
        raise ConfigError(f"{nothing}: name --items and --events, or --dataset movielens")
    table = open_table(source.items, source.format)
    try:
        items = read_items(table, source.item_columns, left_out)
    finally:
        table.close()
    table = open_table(source.events, source.format)
    try:
        return items, read_events(table, source.event_columns, left_out)
    finally:
        table.close()


def _read_store(address: str) -> tuple[Sequence[Item], Sequence[Event]]:
    engine, _, place = address.partition(":")
    if engine != "lmdb" or not (Path(place) / "data.mdb").is_file():
        raise ConfigError(
            f"--store: there is none in {address!r}; expected lmdb:DIRECTORY, a server's own"
        )
    store = open_store(address, map_bytes=0)  # As large as its writer made it.
    try:
        with store.snapshot() as snapshot:
            return items_and_events(snapshot)
    finally:
        store.close()


def read_log(
    console: Console, source: Source, signals: SignalTable, relevant: str, nothing: str
) -> Stream:
    """The log as a replay takes it; says how much there is, and what was left out.

    Args:
        console: where to say it.
        source: where it is.
        signals: what each signal is worth.
        relevant: which events count as a hit; see `parse_relevance`.
        nothing: the beginning of the error where no file is named.

    Raises:
        ConfigError: the options do not fit, or a file can't be read.
    """
    relevance, left_out = parse_relevance(relevant), LeftOut()
    items, events = read_source(source, left_out, nothing)
    stream = make_stream(items, events, signals, relevance, left_out)
    console.print(
        f"{len(stream.items):,} items, {len(stream.events):,} events of "
        f"{len(stream.users):,} users; a hit is {relevant}"
    )
    for kind, count in left_out.counts.items():
        line = f"Left out, {kind}: {count:,} (first: {left_out.first[kind]})"
        console.print(Text(line, "yellow"), soft_wrap=True)
    return stream
