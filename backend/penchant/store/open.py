"""Opens a store by its address."""

from __future__ import annotations

from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.store.base import DEFAULT_MAP_BYTES, Store
from penchant.store.memory import MemoryStore


def open_store(address: str, *, map_bytes: int = DEFAULT_MAP_BYTES) -> Store:
    """Opens the store at an address: `lmdb:/absolute/directory` or `memory:`.

    Args:
        address: the name of the engine, a colon, and the place.
        map_bytes: size limit of an LMDB store, in bytes.

    Raises:
        ConfigError: the address has another form.
        StoreUnavailable: the engine cannot open the store.

    >>> open_store("memory:").durable
    False
    """
    engine, colon, place = address.partition(":")
    if engine == "lmdb" and place:
        # Only here: a store in memory does without the package lmdb.
        from penchant.store.lmdb import LmdbStore

        return LmdbStore(Path(place), map_bytes=map_bytes)
    if engine == "memory" and colon:
        return MemoryStore()
    raise ConfigError(f"store: got {address!r}, expected lmdb:/absolute/directory or memory:")
