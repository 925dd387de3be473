"""Opens a store by its address."""

from __future__ import annotations

from pathlib import Path

from penchant.store.address import check_address, is_network, resolved
from penchant.store.base import DEFAULT_MAP_BYTES, Store
from penchant.store.valkey.valkey_address import parse_address


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
    if is_network(address):
        # Only here, as below.
        from penchant.store.valkey.valkey_store import ValkeyStore

        return ValkeyStore(parse_address(resolved(address)))
    check_address(address)
    engine, _, place = address.partition(":")
    if engine == "lmdb":
        # Only here: a store in memory does without the package lmdb.
        from penchant.store.lmdb import LmdbStore

        return LmdbStore(Path(place), map_bytes=map_bytes)
    # Only here: the command line reads this file for the form of addresses, and needs no numpy.
    from penchant.store.memory import MemoryStore

    return MemoryStore()
