"""Lists the releases beside a server's store as one job: built, served, on rollout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from penchant.domain.errors import ConfigError
from penchant.domain.rollout import Rollout, Standing
from penchant.domain.types import Published
from penchant.encoder.library import MANIFEST
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.releases.manifest import Manifest, read_manifest
from penchant.releases.release_rollout import read_standing
from penchant.store.releases import read_log_of_releases
from penchant.system.option_types import STORE_IN_USE


@dataclass(frozen=True, slots=True)
class ListReleasesRequest:
    """The store of a server."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""


@dataclass(frozen=True, slots=True)
class ReleaseList:
    """The releases beside a store, and the log of releases."""

    manifests: Sequence[Manifest]
    """Manifests of the releases whose folders are there, oldest first."""
    log: Sequence[Published]
    """All entries of the log of releases, oldest first."""
    rollout: tuple[Rollout, Standing] | None
    """The running rollout and its standing; None if none is running."""
    unreadable: Sequence[str]
    """Errors of the folders whose manifests can't be read."""

    @property
    def served(self) -> str:
        """Id of the served release; empty before any release."""
        return next((entry.release for entry in reversed(self.log) if entry.serves), "")


def list_releases(request: ListReleasesRequest) -> ReleaseList:
    """Lists the releases beside a server's store.

    Raises:
        ConfigError: there is no store, or a setting is wrong.
        LaunchError: the store's address or a setting can't be read.
    """
    with open_server_store(request.store, request.settings) as server:
        with server.store.snapshot() as snapshot:
            log, rollout = read_log_of_releases(snapshot), read_standing(snapshot)
        manifests, unreadable = _read_manifests(server.releases)
    return ReleaseList(manifests, log, rollout, unreadable)


def _read_manifests(releases: Path) -> tuple[list[Manifest], list[str]]:
    manifests, unreadable = [], []
    for path in sorted(releases.glob(f"[!.]*/{MANIFEST}")):
        try:
            manifests.append(read_manifest(path.parent))
        except ConfigError as error:
            unreadable.append(str(error))
    return sorted(manifests, key=lambda manifest: manifest.created_at), unreadable
