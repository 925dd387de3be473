"""`penchant refresh`: item vectors from texts and the event log, beside a running server."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant import config
from penchant.cli.client import counted
from penchant.cli.import_ import Format, Map
from penchant.cli.logs import event_columns
from penchant.domain.errors import ConfigError
from penchant.launch.settings import gather
from penchant.offline.evaluation.reading import LeftOut
from penchant.offline.refresh.settings import RefreshSettings
from penchant.store.open import open_store

_DEFAULTS = RefreshSettings()
_FILE = "A log in a file: columns as for penchant import"


def refresh(
    store: Annotated[str, typer.Option(help="Where users live: lmdb:DIRECTORY.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting, as the server has it; repeatable."
        ),
    ] = None,
    window: Annotated[
        int, typer.Option(help="Likes of a user are near if at most so many places apart.")
    ] = _DEFAULTS.window,
    text_weight: Annotated[
        float, typer.Option(help="How much texts count beside what was liked together.")
    ] = _DEFAULTS.text_weight,
    shrinkage: Annotated[
        float, typer.Option(help="Likes at which an item's own vector weighs as much as its text.")
    ] = _DEFAULTS.shrinkage,
    events: Annotated[
        Path | None,
        typer.Option(
            help="Learn from the events of this file instead of the store's log.",
            exists=True,
            dir_okay=False,
            rich_help_panel=_FILE,
        ),
    ] = None,
    signal: Annotated[str, typer.Option(help="Of every row.", rich_help_panel=_FILE)] = "",
    time_unit: Annotated[
        str, typer.Option(help="Of epoch times: s, ms, us or ns.", rich_help_panel=_FILE)
    ] = "s",
    mapped: Map = None,
    format: Format = None,
) -> None:
    """Moves items that are liked together towards each other, and publishes a new version.

    A running server may stay up and follows at its next request; it needs the same settings.
    """
    chosen = RefreshSettings(window, text_weight, shrinkage)
    # The texts' vectors are in the store, but settings without an encoder are refused.
    parameters = gather(store, Path("unused"), settings or ())
    parsed = config.parse(parameters)
    directory = config.catalog_directory(parsed)
    place = parameters["store"].partition(":")[2]
    if directory is None or not (Path(place) / "data.mdb").is_file():
        raise ConfigError(f"store: there is none in {place}; name the server's own --store")
    # Only here: SciPy is loaded by it.
    from penchant.offline.refresh.log_file import LogFile
    from penchant.offline.refresh.publication import refresh_store

    left_out, read = LeftOut(), None
    if events is not None:
        file = LogFile(events, format, event_columns(mapped, signal, time_unit))
        read = partial(file.read, signals=parsed.signals, left_out=left_out)
    opened = open_store(parameters["store"], map_bytes=0)  # As large as its writer made it.
    try:
        with Console().status("Refreshing"):
            report = refresh_store(opened, directory, parsed, chosen, read)
    finally:
        opened.close()
    for kind, count in left_out.counts.items():
        typer.echo(f"Left out, {kind}: {count:,} (first: {left_out.first[kind]})")
    typer.echo(
        f"Learnt from {counted(report.events, 'event')}: {counted(report.moved, 'item')} moved "
        f"away from the text alone. Catalog version {report.head.version}."
    )
