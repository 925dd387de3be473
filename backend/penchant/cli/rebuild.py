"""`penchant rebuild`: users' records from their logs, after a change of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant import config
from penchant.cli.client import counted
from penchant.domain.errors import ConfigError
from penchant.launch.settings import gather
from penchant.offline.rebuild import rebuild_all
from penchant.store.open import open_store


def rebuild(
    store: Annotated[str, typer.Option(help="Where users live: lmdb:DIRECTORY.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A setting, as the server has it; repeatable."
        ),
    ] = None,
) -> None:
    """Makes every user's record anew from the log, under the signals and the window of today.

    A running server may stay up; it needs the same settings.
    """
    # A record depends on no encoder, but settings without one are refused.
    parameters = gather(store, Path("unused"), settings or ())
    place = parameters["store"].partition(":")[2]
    if not (Path(place) / "data.mdb").is_file():
        raise ConfigError(f"store: there is none in {place}; name the server's own --store")
    opened = open_store(parameters["store"], map_bytes=0)  # As large as its writer made it.
    try:
        with Console().status("Rebuilding"):
            users = rebuild_all(opened, config.parse(parameters))
    finally:
        opened.close()
    typer.echo(f"Rebuilt the records of {counted(users, 'user')}.")
