"""The log of releases, in a store: what was served since when."""

from __future__ import annotations

from penchant.domain.types import Published
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_releases(snapshot: Snapshot) -> list[Published]:
    """All entries, the oldest first; the last one is what is served."""
    return [codec.decode_published(value) for _, value in snapshot.scan(encode(Kind.RELEASE))]


def append_release(transaction: Transaction, published: Published) -> None:
    """Adds an entry behind the last one."""
    position = sum(1 for _ in transaction.scan(encode(Kind.RELEASE)))
    transaction.put(encode(Kind.RELEASE, position), codec.encode_published(published))
