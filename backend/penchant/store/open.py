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
    check_address(address)
    engine, _, place = address.partition(":")
    if engine == "lmdb":
        # Only here: a store in memory does without the package lmdb.
        from penchant.store.lmdb import LmdbStore

        return LmdbStore(Path(place), map_bytes=map_bytes)
    return MemoryStore()


def check_address(address: str) -> None:
    """Checks the form of a store's address, without opening it.

    Raises:
        ConfigError: the engine is unknown, or the place is missing.

    >>> check_address("redis://localhost")
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: store: got 'redis://localhost', expected lmdb:/absolute/...
    """
    engine, colon, place = address.partition(":")
    if not ((engine == "lmdb" and place) or (engine == "memory" and colon)):
        raise ConfigError(f"store: got {address!r}, expected lmdb:/absolute/directory or memory:")
