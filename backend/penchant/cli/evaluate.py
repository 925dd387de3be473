"""`penchant evaluate`: how good the rankings are on a log of one's own, and beside its peers."""

from __future__ import annotations

import signal as signals
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from penchant.cli import evaluation
from penchant.cli.evaluation import GENRES, Choices
from penchant.cli.import_ import mapped_fields
from penchant.cli.logs import EVENT_FIELDS, GOOD_RATING, ITEM_FIELDS, Source
from penchant.config import Config, parse
from penchant.domain.errors import ConfigError
from penchant.launch.settings import HOME
from penchant.offline.evaluation.cases import Plan
from penchant.offline.evaluation.relevance import POSITIVE
from penchant.offline.events import EventColumns, ItemColumns
from penchant.offline.refresh.settings import RefreshSettings

_REFRESH = RefreshSettings()
_COLUMNS, _OUTPUT = "Columns, as for penchant import", "Output"


def _column(of: str) -> Any:
    return typer.Option(help=f"Column of the {of}.", rich_help_panel=_COLUMNS)


def evaluate(
    items: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File of items.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File of events.")
    ] = None,
    dataset: Annotated[str, typer.Option(help="movielens, instead of the two files.")] = "",
    encoder: Annotated[
        Path, typer.Option(help="The encoder's directory, as `penchant export` writes it.")
    ] = HOME / "encoder",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the models; repeatable."),
    ] = None,
    peers: Annotated[
        str, typer.Option(metavar="NAME,NAME,...", help="What to compare with; all: every one.")
    ] = "",
    train_fraction: Annotated[
        float, typer.Option(help="The share of the events, the oldest, to train on.")
    ] = 0.3,
    relevant: Annotated[
        str,
        typer.Option(
            metavar="TERM",
            help="Which events count as a hit: 'rating>=4', 'reward>0.5', signal=purchase.",
            show_default=f"{POSITIVE}; {GOOD_RATING} for movielens",
        ),
    ] = "",
    every: Annotated[int, typer.Option(help="Rank for one of so many relevant events.")] = 1,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="Let item vectors learn at each fit, as `penchant refresh` does."
        ),
    ] = False,
    text_weight: Annotated[
        float, typer.Option(help="Of --refresh: how much texts count beside co-occurrence.")
    ] = _REFRESH.text_weight,
    refresh_every: Annotated[
        int, typer.Option(help="Fit (the peers too) again after so many events; 0: never.")
    ] = 5000,
    k: Annotated[
        str, typer.Option("--k", "-k", metavar="K,K,...", help="Cut-offs of recall and NDCG.")
    ] = "10,50",
    candidates: Annotated[
        str, typer.Option(help="unseen: items that the user has no event about yet; or all.")
    ] = "unseen",
    seed: Annotated[int, typer.Option(help="Of the intervals and the peers.")] = 1,
    attribute: Annotated[
        str,
        typer.Option(
            help="Attribute of items to measure calibration by.",
            show_default=f"none; {GENRES} for movielens",
        ),
    ] = "",
    json: Annotated[
        Path | None, typer.Option(help="Write all numbers to this file.", rich_help_panel=_OUTPUT)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML page with plots.", rich_help_panel=_OUTPUT)
    ] = None,
    id_column: Annotated[str, _column("item's id")] = "id",
    text_column: Annotated[str, _column("text to encode")] = "text",
    text_template: Annotated[
        str,
        typer.Option(
            metavar="TEMPLATE",
            help="The text, made of columns: '{title} ({year}). {genres}'.",
            rich_help_panel=_COLUMNS,
        ),
    ] = "",
    user_column: Annotated[str, _column("user")] = "user",
    item_column: Annotated[str, _column("event's item")] = "item",
    signal_column: Annotated[str, _column("signal")] = "signal",
    signal: Annotated[
        str, typer.Option(help="The signal of every row.", rich_help_panel=_COLUMNS)
    ] = "",
    value_column: Annotated[str, _column("value, if any")] = "value",
    time_column: Annotated[str, _column("time: ISO 8601 or epoch")] = "occurred_at",
    time_unit: Annotated[
        str, typer.Option(help="Unit of epoch times: s, ms, us or ns.", rich_help_panel=_COLUMNS)
    ] = "s",
    event_id_column: Annotated[str, _column("event's id")] = "event_id",
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="Take a field of items or events from a column; repeatable.",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="csv, tsv, jsonl or parquet.",
            show_default="by the files' names",
            rich_help_panel=_COLUMNS,
        ),
    ] = None,
) -> None:
    """Replays a log: before each relevant event ranks the catalog, after each event learns.

    Strictly in time order, by the same code as a server; nothing is sent to one. Known besides
    the columns below: user_id, item_id, timestamp, and rating for signal and value.
    """
    console = Console(highlight=False)
    fields = mapped_fields(mapped, (*ITEM_FIELDS, *EVENT_FIELDS))
    columns = {
        "id": id_column,
        "text": text_column,
        "user": user_column,
        "item": item_column,
        "signal": signal_column,
        "value": value_column,
        "occurred_at": time_column,
        "event_id": event_id_column,
        **fields,
    }
    source = Source(
        items,
        events,
        dataset,
        format,
        ItemColumns(text_template=text_template, **_only(columns, ITEM_FIELDS)),
        EventColumns(constant_signal=signal, time_unit=time_unit, **_only(columns, EVENT_FIELDS)),
    )
    choices = Choices(
        source=source,
        config=_config(encoder, settings or ()),
        peers=peers,
        plan=Plan(train_fraction, every, refresh_every, candidates),
        refresh=RefreshSettings(text_weight=text_weight) if refresh else None,
        relevant=relevant,
        ks=_cut_offs(k),
        seed=seed,
        attribute=attribute,
        json=json,
        report=report,
    )
    try:
        evaluation.run(console, choices)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        raise typer.Exit(128 + signals.SIGINT) from None


def _only(columns: Mapping[str, str], fields: Sequence[str]) -> dict[str, str]:
    return {name: column for name, column in columns.items() if name in fields}


def _config(encoder: Path, settings: Sequence[str]) -> Config:
    """The settings of a server, but for its store, which is not opened."""
    parameters = {"store": "memory:", "encoder": str(encoder)}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set: got {setting!r}, expected key=value")
        parameters[name.strip()] = value
    return parse(parameters)


def _cut_offs(text: str) -> list[int]:
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = []
    if not ks or ks[0] < 1:
        raise ConfigError(f"--k: got {text!r}, expected numbers from 1, as in 10,50")
    return ks
