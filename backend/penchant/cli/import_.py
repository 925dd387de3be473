"""`penchant import`: items and events from CSV, TSV, JSONL and Parquet files."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from penchant.cli.client import DEFAULT_TARGET, Target, connected
from penchant.cli.import_games import games
from penchant.domain import types
from penchant.logs.events import EventColumns, ItemColumns
from penchant.logs.log_source import mapped_fields
from penchant.logs.tables.bulk_load import Batches, Sent, load
from penchant.logs.tables.files import open_table
from penchant.logs.tables.import_progress import Ledger
from penchant_sdk import Event, EventStatus, InvalidRequest, Item, Penchant

T = TypeVar("T")

ITEMS_PER_BATCH = 256
EVENTS_PER_BATCH = 1000
TIMEOUT_S = 60.0

File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="csv, tsv, jsonl or parquet.", show_default="by the file's name"
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="Take a field from a column; repeatable."),
]
State = Annotated[
    Path | None,
    typer.Option(help="Where to note how far it came.", show_default="FILE.import.json"),
]

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def import_() -> None:
    """Imports items and events from files. An import that was cut off goes on where it stopped."""


app.command()(games)


@app.command()
def items(
    file: File,
    id_column: Annotated[str, typer.Option(help="Column of the id.")] = "id",
    text_column: Annotated[str, typer.Option(help="Column of the text to encode.")] = "text",
    text_template: Annotated[
        str,
        typer.Option(
            metavar="TEMPLATE", help="The text, made of columns: '{title} ({year}). {genres}'."
        ),
    ] = "",
    mapped: Map = None,
    format: Format = None,
    state: State = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Adds or replaces items; columns that are neither id nor text become attributes."""
    columns = ItemColumns(id_column, text_column, text_template)
    columns = dataclasses.replace(columns, **mapped_fields(tuple(mapped or ()), ("id", "text")))
    with connected(target) as penchant:
        batches = Batches(columns.read, items_to(penchant), ITEMS_PER_BATCH, lambda item: item.id)
        options = {"kind": "items", "target": target, **dataclasses.asdict(columns)}
        _run(file, format, batches, Ledger(file, options, state=state))


@app.command()
def events(
    file: File,
    user_column: Annotated[str, typer.Option(help="Column of the user.")] = "user",
    item_column: Annotated[str, typer.Option(help="Column of the item.")] = "item",
    signal_column: Annotated[str, typer.Option(help="Column of the signal.")] = "signal",
    signal: Annotated[
        str, typer.Option(help="The signal of every row (rating, say), instead of a column.")
    ] = "",
    value_column: Annotated[str, typer.Option(help="Column of the value, if any.")] = "value",
    time_column: Annotated[
        str, typer.Option(help="Column of the time: ISO 8601 (without a zone: UTC) or epoch.")
    ] = "occurred_at",
    time_unit: Annotated[str, typer.Option(help="Unit of epoch times: s, ms, us or ns.")] = "s",
    event_id_column: Annotated[
        str,
        typer.Option(help="Column of the event's id; without one, content and row number make it."),
    ] = "event_id",
    mapped: Map = None,
    format: Format = None,
    state: State = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Learns from events; an event that is known already changes nothing."""
    columns = EventColumns(
        user=user_column,
        item=item_column,
        signal=signal_column,
        value=value_column,
        occurred_at=time_column,
        event_id=event_id_column,
        constant_signal=signal,
        time_unit=time_unit,
    )
    fields = ("user", "item", "signal", "value", "occurred_at", "event_id", "recommendation_id")
    columns = dataclasses.replace(columns, **mapped_fields(tuple(mapped or ()), fields))
    with connected(target) as penchant:
        batches = Batches(columns.read, events_to(penchant), EVENTS_PER_BATCH)
        options = {"kind": "events", "target": target, **dataclasses.asdict(columns)}
        _run(file, format, batches, Ledger(file, options, state=state))


def items_to(penchant: Penchant) -> Callable[[Sequence[types.Item]], Sent]:
    """Sends items; a call that is refused is halved until the item to blame is alone."""

    def send(things: Sequence[types.Item]) -> Sent:
        items = [Item(thing.id, thing.text, thing.attributes) for thing in things]
        try:
            put = penchant.put_items(items, timeout_s=TIMEOUT_S)
        except InvalidRequest as error:
            if len(things) == 1:
                return Sent({}, {0: str(error)})
            half = len(things) // 2
            first, second = send(things[:half]), send(things[half:])
            counts = Counter(first.counts) + Counter(second.counts)
            refused = {position + half: reason for position, reason in second.refused.items()}
            return Sent(counts, {**first.refused, **refused})
        return Sent({"new or changed": put.changed, "unchanged": put.unchanged})

    return send


def events_to(penchant: Penchant) -> Callable[[Sequence[types.Event]], Sent]:
    """Sends events, each with the verdict of its own."""

    def send(things: Sequence[types.Event]) -> Sent:
        ack = penchant.feedback([sdk_event(thing) for thing in things], timeout_s=TIMEOUT_S)
        statuses = [result.status for result in ack.results]
        counts = {
            "accepted": statuses.count(EventStatus.ACCEPTED),
            "known already": statuses.count(EventStatus.DUPLICATE),
        }
        refused = {
            position: f"{result.reason}: {result.message}"
            for position, result in enumerate(ack.results)
            if result.status is EventStatus.REFUSED
        }
        return Sent(counts, refused)

    return send


def sdk_event(event: types.Event) -> Event:
    """The SDK's event."""
    return Event(
        user=event.user,
        item=event.item,
        signal=event.signal,
        value=event.value,
        occurred_at=event.occurred_at_us / 1e6,
        recommendation_id=event.recommendation_id,
        event_id=event.event_id,
        context=dict(event.context),
    )


def _run(file: Path, format: str | None, batches: Batches[T], ledger: Ledger) -> None:
    console = Console()
    table = open_table(file, format)
    if ledger.row:
        console.print(Text(f"Going on behind row {ledger.row:,} of {file.name}."))
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    try:
        with ledger, Progress(*columns, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task(file.name, total=table.size or None)
            load(table, batches, ledger, lambda: progress.update(task, completed=table.done))
            progress.update(task, completed=table.size)
    except BaseException:
        if ledger.state_path.exists():
            note = f"{ledger.row:,} rows are done; the same command goes on from there."
            console.print(Text(note))
        raise
    finally:
        table.close()
    _sum_up(console, ledger)


def _sum_up(console: Console, ledger: Ledger) -> None:
    counts: Mapping[str, int] = ledger.counts
    rejected = counts.get("rejected", 0)
    total = sum(counts.values())
    if not total:
        console.print("There are no rows in it.")
        return
    summary = Table("rows", "", show_header=False)
    for word, count in counts.items():
        if count:
            style = "red" if word == "rejected" else ""
            summary.add_row(Text(word, style=style), Text(f"{count:,}", justify="right"))
    console.print(summary)
    if rejected:
        console.print(Text(f"Rejected rows, with the reasons: {ledger.rejected_path}"))
    if rejected == total:
        raise typer.Exit(1)
