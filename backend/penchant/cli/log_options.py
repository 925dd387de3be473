"""The options that name a log, the same for each command that replays one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from penchant.config import Config, parse
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import HOME
from penchant.logs.events import EventColumns, ItemColumns
from penchant.logs.log_source import (
    EVENT_FIELDS,
    GOOD_RATING,
    ITEM_FIELDS,
    LogSource,
    mapped_fields,
)
from penchant.logs.relevance import POSITIVE

ENCODER = HOME / "encoder"
_PANEL = "Columns, as for penchant import"


def _column(of: str) -> Any:
    return typer.Option(help=f"Column of the {of}.", rich_help_panel=_PANEL)


ItemsFile = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="File of items.")]
EventsFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="File of events.")
]
Dataset = Annotated[str, typer.Option(help="movielens, instead of the two files.")]
Store = Annotated[str, typer.Option(help="lmdb:DIRECTORY of a server, instead of files.")]
EncoderDirectory = Annotated[
    Path, typer.Option(help="The encoder's directory, as `penchant export` writes it.")
]
ServerSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of the models; repeatable."),
]
TrainFraction = Annotated[
    float, typer.Option(help="The share of the events, the oldest, to train on.")
]
ValidationFraction = Annotated[
    float, typer.Option(help="The share of the events, the newest, to rank for.")
]
LogFraction = Annotated[float, typer.Option(help="Use only this share of the events, the oldest.")]
Relevant = Annotated[
    str,
    typer.Option(
        metavar="TERM",
        help="Which events count as a hit: 'rating>=4', 'reward>0.5', signal=purchase.",
        show_default=f"{POSITIVE}; {GOOD_RATING} for movielens",
    ),
]
Every = Annotated[int, typer.Option(help="Rank for one of so many relevant events.")]
Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh", help="Let item vectors learn at each fit, as `penchant refresh` does."
    ),
]
Candidates = Annotated[
    str, typer.Option(help="unseen: items that the user has no event about yet; or all.")
]
IdColumn = Annotated[str, _column("item's id")]
TextColumn = Annotated[str, _column("text to encode")]
TextTemplate = Annotated[
    str,
    typer.Option(
        metavar="TEMPLATE",
        help="The text, made of columns: '{title} ({year}). {genres}'.",
        rich_help_panel=_PANEL,
    ),
]
UserColumn = Annotated[str, _column("user")]
ItemColumn = Annotated[str, _column("event's item")]
SignalColumn = Annotated[str, _column("signal")]
ConstantSignal = Annotated[
    str, typer.Option(help="The signal of every row.", rich_help_panel=_PANEL)
]
ValueColumn = Annotated[str, _column("value, if any")]
TimeColumn = Annotated[str, _column("time: ISO 8601 or epoch")]
TimeUnit = Annotated[
    str, typer.Option(help="Unit of epoch times: s, ms, us or ns.", rich_help_panel=_PANEL)
]
EventIdColumn = Annotated[str, _column("event's id")]
Mapped = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=FIELD",
        help="Take a field of items or events from a column; repeatable.",
        rich_help_panel=_PANEL,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="csv, tsv, jsonl or parquet.",
        show_default="by the files' names",
        rich_help_panel=_PANEL,
    ),
]


def source_of(
    items: Path | None,
    events: Path | None,
    dataset: str,
    *,
    columns: dict[str, str],
    text_template: str,
    signal: str,
    time_unit: str,
    mapped: list[str] | None,
    format: str | None,
    store: str = "",
) -> LogSource:
    """What the options say; `columns` by field, which `mapped` overrules.

    Raises:
        ConfigError: a mapping names no field.
    """
    chosen = {**columns, **mapped_fields(tuple(mapped or ()), (*ITEM_FIELDS, *EVENT_FIELDS))}
    of_items = {name: column for name, column in chosen.items() if name in ITEM_FIELDS}
    of_events = {name: column for name, column in chosen.items() if name in EVENT_FIELDS}
    return LogSource(
        items,
        events,
        dataset,
        store,
        ItemColumns(text_template=text_template, **of_items),
        EventColumns(constant_signal=signal, time_unit=time_unit, **of_events),
        format=format,
    )


def config_of(encoder: Path, settings: list[str] | None) -> Config:
    """The settings of a server, but for its store, which is not opened.

    Raises:
        ConfigError: one is not key=value, is unknown, or does not fit.
    """
    return parse({"store": "memory:", "encoder": str(encoder), **pairs_of(settings)})


def pairs_of(settings: list[str] | None) -> dict[str, str]:
    """`--set` by key; ConfigError where one is not key=value."""
    pairs = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set: got {setting!r}, expected key=value")
        pairs[name.strip()] = value
    return pairs


def share_of(name: str, text: str) -> float:
    """A share, given as `1%` or `0.01`; ConfigError where it is none.

    >>> share_of("--max-loss", "2.5%"), share_of("--max-loss", "0.01")
    (0.025, 0.01)
    """
    given = text.strip()
    try:
        return float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        raise ConfigError(f"{name}: got {text!r}, expected a share as 1% or 0.01") from None
