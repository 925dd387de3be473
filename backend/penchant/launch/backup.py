"""Backing up a store while it serves: a copy as of one moment, from which a server starts."""

from __future__ import annotations

import os
import shutil
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.launch.compact import open_lmdb
from penchant.server.tenants import TENANTS, tenant_stores
from penchant.store.address import directory_of, is_network
from penchant.store.lmdb_file import DATA
from penchant.system.apart import check_outside
from penchant.system.audit_log import AUDIT, AuditLog
from penchant.system.option_types import STORE_IN_USE
from penchant.system.os_error_reason import reason_of
from penchant.system.private_files import make_private
from penchant.system.redacted_address import redacted
from penchant.system.whole_directory import whole_directory

RELEASES = "releases"


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """The store to back up, and the place for the copy."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE]
    """Store of the server: lmdb:DIRECTORY."""
    to: Path
    """Directory to make; it must not exist yet."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """The copy."""

    directory: Path
    bytes: int
    """Size of the stores' files."""
    tenants: int
    """Tenants whose stores are in it."""


def backup(request: BackupRequest) -> BackupResult:
    """Copies a store as of now, its releases, and the stores of its server's tenants.

    The server goes on meanwhile. The copy is a store's directory: a server starts on it, and writes
    the catalog's files again. Each tenant's store is copied as of a moment of its own.

    Raises:
        ConfigError: there is no such store, or the place for the copy is taken, inside the store,
            or can't be made.
        StoreUnavailable: the copy can't be written; nothing is left of it.
    """
    place = directory_of(request.store)
    if place is not None:  # What the store holds, a server may read, and the next backup copies.
        check_outside(request.to, "to", place, "the store")
    if os.path.lexists(request.to):
        raise ConfigError(f"to: got {request.to}, which exists, expected a directory to make")
    if is_network(request.store):
        raise ConfigError(
            f"store: got {redacted(request.store)}, expected lmdb:DIRECTORY: a store in Valkey is "
            "backed up by Valkey itself, from an RDB snapshot or a replica; copy its servers' "
            "releases beside it"
        )
    with whole_directory(request.to) as made:
        size = _copy(request.store, made)
        tenants = tenant_stores(request.store)
        for address in tenants:
            place = made / TENANTS / (directory_of(address) or made).name
            place.mkdir(parents=True)
            size += _copy(address, place)
        make_private(made)
    return BackupResult(request.to, size, len(tenants))


def _copy(address: str, made: Path) -> int:
    """Copies one store with its releases and its audit log; returns its size in bytes."""
    with open_lmdb(address) as (store, directory):
        AuditLog(directory / AUDIT).note("backup")
        store.copy(made / DATA)
        # After the store, which names the releases; a folder never changes once it is there.
        if (directory / RELEASES).is_dir():
            try:
                shutil.copytree(directory / RELEASES, made / RELEASES)
            except OSError as error:
                raise StoreUnavailable(
                    f"to: the releases can't be copied: {reason_of(error)}"
                ) from error
        # The copy's own log goes on from here: the chain stays whole.
        if (directory / AUDIT).is_dir():
            shutil.copytree(directory / AUDIT, made / AUDIT)
        return (made / DATA).stat().st_size
