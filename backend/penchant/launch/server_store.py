"""Opens the store of a server, which may be running, for a job that works beside it.

This sits above the configuration and below every job: `penchant.store` knows neither the settings
nor the directories beside a store, and the jobs of refresh, calibration and releases need both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant import config
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import gather
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant.system.option_types import Pairs

ServerSettings = Annotated[Pairs, Parameter(name="--set")]
"""Settings of the server's models, each KEY=VALUE."""

NO_ENCODER = Path("unused")
"""Encoder directory for jobs that load no encoder; settings without one are refused."""


@dataclass(frozen=True, slots=True)
class ServerStore:
    """An open store, the server's settings, and the directories beside the store."""

    store: Store
    config: Config
    directory: Path
    """Directory of the catalog's files."""
    releases: Path
    """Directory that holds one folder per release."""


@contextmanager
def open_server_store(
    address: str, settings: Sequence[str] = (), encoder: Path | None = NO_ENCODER
) -> Iterator[ServerStore]:
    """Opens a server's store; closes it after the body.

    Args:
        address: address of the store, `lmdb:DIRECTORY`.
        settings: settings as the server has them, each `KEY=VALUE`.
        encoder: directory of the configured encoder; None: the default one.

    Raises:
        ConfigError: the directory holds no store, or a setting is wrong.
        LaunchError: the address or a setting can't be read.
    """
    parameters = gather(address, encoder, settings)
    parsed = config.parse(parameters)
    directory, releases = config.catalog_directory(parsed), config.releases_directory(parsed)
    place = parameters["store"].partition(":")[2]
    if directory is None or releases is None or not (Path(place) / "data.mdb").is_file():
        raise ConfigError(f"store: there is none in {place}; name the server's own --store")
    store = open_store(parameters["store"], map_bytes=0)  # As large as its writer made it.
    try:
        yield ServerStore(store, parsed, directory, releases)
    finally:
        store.close()
