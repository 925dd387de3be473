"""The log of releases, in a store: what was served since when."""

from __future__ import annotations

from penchant.domain.types import Published
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_log_of_releases(snapshot: Snapshot) -> list[Published]:
    """All entries, those of rollouts too, the oldest first."""
    return [codec.decode_published(value) for _, value in snapshot.scan(encode(Kind.RELEASE))]


def read_releases(snapshot: Snapshot) -> list[Published]:
    """What was served to everybody, the oldest first; the last one is what is served."""
    return [entry for entry in read_log_of_releases(snapshot) if entry.serves]


def append_release(transaction: Transaction, published: Published) -> None:
    """Adds an entry behind the last one."""
    position = sum(1 for _ in transaction.scan(encode(Kind.RELEASE)))
    transaction.put(encode(Kind.RELEASE, position), codec.encode_published(published))
