"""What an acknowledged commit to a store survives, in words."""

from __future__ import annotations

from penchant.store.address import is_network
from penchant.store.network_store import in_network
from penchant.store.open import open_store


def durability_of(address: str) -> tuple[str, bool]:
    """What a commit survives, and whether it survives the death of every process.

    Args:
        address: of a store; LMDB's promise does not depend on anything.

    Raises:
        StoreUnavailable: the store does not answer.

    >>> durability_of("lmdb:/data/store")
    ('synced to disk before it is acknowledged', True)
    """
    if not is_network(address):
        return "synced to disk before it is acknowledged", True
    store = open_store(address)
    try:
        return in_network(store).durability.promise, store.durable
    finally:
        store.close()
