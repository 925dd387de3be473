"""`penchant refresh`: item vectors from texts and the event log, beside a running server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli.client import counted
from penchant.cli.log_options import Format, Mapped
from penchant.cli.logs import event_columns
from penchant.cli.stores import StoreAddress, StoreSettings, opened
from penchant.logs.refusals import LeftOut
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.store.base import Store
from penchant.store.releases import read_releases

_DEFAULTS = RefreshSettings()


def _default(value: float) -> str:
    return f"the served release's, or {value:g}"


_FILE = "A log in a file: columns as for penchant import"


def refresh(
    store: StoreAddress,
    settings: StoreSettings = None,
    window: Annotated[
        int | None,
        typer.Option(
            help="Likes of a user are near if at most so many places apart.",
            show_default=_default(_DEFAULTS.window),
        ),
    ] = None,
    text_weight: Annotated[
        float | None,
        typer.Option(
            help="How much texts count beside what was liked together.",
            show_default=_default(_DEFAULTS.text_weight),
        ),
    ] = None,
    shrinkage: Annotated[
        float | None,
        typer.Option(
            help="Likes at which an item's own vector weighs as much as its text.",
            show_default=_default(_DEFAULTS.shrinkage),
        ),
    ] = None,
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
    mapped: Mapped = None,
    format: Format = None,
) -> None:
    """Moves items that are liked together towards each other, and publishes a new version.

    A running server may stay up and follows at its next request; it needs the same settings.
    """
    # Only here: SciPy is loaded by them.
    from penchant.logs.interactions import LogFile
    from penchant.refresh.publication import refresh_store

    given = {"window": window, "text_weight": text_weight, "shrinkage": shrinkage}
    left_out, read = LeftOut(), None
    with opened(store, settings) as place, Console().status("Refreshing"):
        if events is not None:
            file = LogFile(events, format, event_columns(mapped, signal, time_unit))
            read = partial(file.read, signals=place.config.signals, left_out=left_out)
        chosen = _settings(place.store, given)
        report = refresh_store(place.store, place.directory, place.config, chosen, read)
    for kind, count in left_out.counts.items():
        typer.echo(f"Left out, {kind}: {count:,} (first: {left_out.first[kind]})")
    typer.echo(
        f"Learnt from {counted(report.events, 'event')}: {counted(report.moved, 'item')} moved "
        f"away from the text alone. Catalog version {report.head.version}."
    )


def _settings(store: Store, given: Mapping[str, float | None]) -> RefreshSettings:
    """What was given; else as the release says that is served; else the defaults."""
    with store.snapshot() as snapshot:
        log = read_releases(snapshot)
    released = json.loads(log[-1].refresh) if log else {}
    return RefreshSettings(
        **{**released, **{name: value for name, value in given.items() if value is not None}}
    )
