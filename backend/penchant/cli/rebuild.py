"""`penchant rebuild`: users' records from their logs, after a change of the settings."""

from __future__ import annotations

import typer
from rich.console import Console

from penchant.cli.client import counted
from penchant.cli.stores import StoreAddress, StoreSettings, opened
from penchant.service.rebuild import rebuild_all


def rebuild(store: StoreAddress, settings: StoreSettings = None) -> None:
    """Makes every user's record anew from the log, under the signals and the window of today.

    A running server may stay up; it needs the same settings.
    """
    with opened(store, settings) as place, Console().status("Rebuilding"):
        users = rebuild_all(place.store, place.config.signals, place.config.fold.window_events)
    typer.echo(f"Rebuilt the records of {counted(users, 'user')}.")
