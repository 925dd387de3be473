"""Opens the store of a server, which may be running, for a job that works beside it.

This sits above the configuration and below every job: `penchant.store` knows neither the settings
nor the directories beside a store, and the jobs of refresh, calibration and releases need both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant import config
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import HOME, gather, is_store, kept_encoder
from penchant.server.kept_settings import refuse_differences, settled
from penchant.server.served_store import read_item_biases, served_store
from penchant.server.store_use import use_store
from penchant.service.clock import system_clock
from penchant.store.address import directory_of, is_network
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant.store.settings_row import read_settings
from penchant.system.audit_log import AuditLog
from penchant.system.option_types import Pairs
from penchant.system.redacted_address import redacted

ServerSettings = Annotated[Pairs, Parameter(name="--set")]
"""Settings beside those that the server keeps in its store, each KEY=VALUE."""

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
    audit: AuditLog = field(default_factory=lambda: AuditLog(None))
    """Where a job says what it is about to do."""


@contextmanager
def open_server_store(
    address: str,
    settings: Sequence[str] = (),
    encoder: Path | None = NO_ENCODER,
    may_differ: frozenset[str] = frozenset(),
) -> Iterator[ServerStore]:
    """Opens a server's store under the settings that it keeps; closes it after the body.

    Args:
        address: address of the store.
        settings: settings beside those that the store keeps, each `KEY=VALUE`.
        encoder: directory of the configured encoder; None: the one that the store keeps, else the
            default one.
        may_differ: names of settings that may differ from the store's.

    Raises:
        ConfigError: there is no store, or a setting is wrong, or differs from the one
            that the store keeps.
        LaunchError: the address or a setting can't be read.
    """
    # A job that needs the encoder says so when it loads it, and not before.
    parameters = gather(address, encoder or kept_encoder(address) or HOME / "encoder", settings)
    given = config.parse(parameters)
    whole = parameters["store"]
    place = directory_of(whole)
    if place is not None and not is_store(place):
        raise ConfigError(f"store: there is none in {place}; name the server's own --store")
    store = open_store(whole, map_bytes=0)  # As large as its writer made it.
    try:
        with store.snapshot() as snapshot:
            kept = read_settings(snapshot)
        if kept is None and is_network(whole):
            raise ConfigError(
                f"store: no server has served one at {redacted(whole)} yet; name the server's own "
                "--store"
            )
        use_store(whole, store, os.getpid(), writes=True)
        refuse_differences(given, kept, may_differ)
        parsed = settled(given, kept)
        directory, releases = config.catalog_directory(parsed), config.releases_directory(parsed)
        assert directory is not None
        assert releases is not None
        audit = AuditLog(config.audit_directory(parsed))
        read_biases = partial(read_item_biases, store, parsed, system_clock)
        served = served_store(store, parsed, directory, read_biases, follows=False)
        yield ServerStore(served.changing, parsed, directory, releases, audit)
    finally:
        store.close()
