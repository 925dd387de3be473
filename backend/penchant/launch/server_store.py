"""A server's store as the commands open it that work beside the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from cyclopts import Parameter

from penchant import config
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.launch.parameters import gather
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant.system.option_types import Pairs

StoreAddress = Annotated[str, typer.Option(help="The server's store: lmdb:DIRECTORY.")]
StoreSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting, as the server has it; repeatable."),
]


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """The options of a command that works beside a server, on its store."""

    store: str
    """Store of the server: lmdb:DIRECTORY."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting, as the server has it; repeatable."""


NO_ENCODER = Path("unused")
"""For commands that need none; settings without one are refused."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A store with what lies beside it."""

    store: Store
    config: Config
    directory: Path
    """Of the catalog's files."""
    releases: Path
    """Of the releases' folders."""


@contextmanager
def opened(
    address: str, settings: Sequence[str] | None, encoder: Path | None = NO_ENCODER
) -> Iterator[Opened]:
    """Opens the store of a server, which may be running.

    Raises:
        ConfigError: there is none, or a setting is wrong.
        LaunchError: the address or a setting is none.
    """
    parameters = gather(address, encoder, settings or ())
    parsed = config.parse(parameters)
    directory, releases = config.catalog_directory(parsed), config.releases_directory(parsed)
    place = parameters["store"].partition(":")[2]
    if directory is None or releases is None or not (Path(place) / "data.mdb").is_file():
        raise ConfigError(f"store: there is none in {place}; name the server's own --store")
    store = open_store(parameters["store"], map_bytes=0)  # As large as its writer made it.
    try:
        yield Opened(store, parsed, directory, releases)
    finally:
        store.close()
