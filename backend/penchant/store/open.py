"""Opens a store by its address."""

from __future__ import annotations

from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.store.base import DEFAULT_MAP_BYTES, Store
from penchant.store.memory import MemoryStore
from penchant.store.valkey.valkey_address import is_valkey, parse_address, without_password


def open_store(address: str, *, map_bytes: int = DEFAULT_MAP_BYTES) -> Store:
    """Opens the store at an address: `lmdb:/absolute/directory`, `memory:` or `valkey://…`.

    Args:
        address: the name of the engine, a colon, and the place; see
            `penchant.store.valkey.valkey_address` for those of Valkey.
        map_bytes: size limit of an LMDB store, in bytes.

    Raises:
        ConfigError: the address has another form.
        StoreUnavailable: the engine cannot open the store.

    >>> open_store("memory:").durable
    False
    """
    if is_valkey(address):
        # Only here, as below.
        from penchant.store.valkey.valkey_store import ValkeyStore

        return ValkeyStore(parse_address(address))
    check_address(address)
    engine, _, place = address.partition(":")
    if engine == "lmdb":
        # Only here: a store in memory does without the package lmdb.
        from penchant.store.lmdb import LmdbStore

        return LmdbStore(Path(place), map_bytes=map_bytes)
    return MemoryStore()


def check_address(address: str) -> None:
    """Checks the address of a server's store, without opening it.

    Raises:
        ConfigError: the engine is unknown, or the place is missing; servers do not run on Valkey
            yet.

    >>> check_address("redis://localhost")
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: store: got 'redis://localhost', expected lmdb:/absolute/...
    """
    if is_valkey(address):
        raise ConfigError(
            f"store: got {without_password(address)!r}: a server does not run on Valkey yet; "
            "expected lmdb:/absolute/directory or memory:"
        )
    engine, colon, place = address.partition(":")
    if not ((engine == "lmdb" and place) or (engine == "memory" and colon)):
        raise ConfigError(f"store: got {address!r}, expected lmdb:/absolute/directory or memory:")
