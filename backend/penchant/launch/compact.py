"""Compacting a store: its file is written anew without the pages that deletions have freed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from penchant.domain.errors import ConfigError
from penchant.launch.model_parameters import is_store
from penchant.store.address import directory_of, is_network
from penchant.store.lmdb import LmdbStore
from penchant.store.lmdb_file import DATA
from penchant.system.audit_log import AUDIT, AuditLog
from penchant.system.option_types import STORE_IN_USE
from penchant.system.redacted_address import redacted


@dataclass(frozen=True, slots=True)
class CompactRequest:
    """The store to compact."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE]
    """Store of the server: lmdb:DIRECTORY."""


@dataclass(frozen=True, slots=True)
class CompactResult:
    """The sizes of the store's file."""

    before_bytes: int
    after_bytes: int


def compact(request: CompactRequest) -> CompactResult:
    """Rewrites a store's file without free pages, which gives their space back to the disk.

    What was deleted is then no longer in the file. A running server may stay up: its readers go on,
    its writers wait, and each of its processes moves to the new file at its next call.

    Raises:
        ConfigError: there is no such store.
        StoreUnavailable: the disk has no room for the new file; the store is as it was.
    """
    with open_lmdb(request.store) as (store, directory):
        AuditLog(directory / AUDIT).note("compact")
        before = (directory / DATA).stat().st_size
        store.compact()
        return CompactResult(before, (directory / DATA).stat().st_size)


@contextmanager
def open_lmdb(address: str) -> Iterator[tuple[LmdbStore, Path]]:
    """Opens an LMDB store that exists, with its directory; closes it after the body.

    Raises:
        ConfigError: there is none.
        StoreUnavailable: it cannot be opened.
    """
    if is_network(address):
        raise ConfigError(
            f"store: got {redacted(address)}, expected lmdb:DIRECTORY: Valkey frees memory by "
            "itself, and its append-only file by BGREWRITEAOF"
        )
    directory = directory_of(address)
    if directory is None or not is_store(directory):
        raise ConfigError(
            f"store: got {redacted(address)!r}, expected lmdb:DIRECTORY of a store; name that"
        )
    store = LmdbStore(directory, map_bytes=0)  # As large as its writer made it.
    try:
        yield store, directory
    finally:
        store.close()
