"""`penchant rebuild`: users' records from their logs, after a change of the settings."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console

from penchant.cli.stores import StoreOptions, opened
from penchant.service.rebuild import rebuild_all
from penchant.system.option_types import FLAT


def rebuild(*, store: Annotated[StoreOptions, FLAT]) -> None:
    """Rebuilds every user's record from the log, under today's signals and window.

    A running server may stay up; it needs the same settings.
    """
    console = Console(highlight=False)
    with opened(store.store, store.settings) as place, console.status("Rebuilding"):
        users = rebuild_all(place.store, place.config.signals, place.config.fold.window_events)
    console.print(f"Rebuilt the records of {users:,} {'user' if users == 1 else 'users'}.")
