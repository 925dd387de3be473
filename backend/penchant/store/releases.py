"""The log of releases: which one was served from when."""

from __future__ import annotations

from penchant.domain.types import Published
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_log_of_releases(snapshot: Snapshot) -> list[Published]:
    """All entries, including those of rollouts, oldest first."""
    return [codec.decode_published(value) for _, value in snapshot.scan(encode(Kind.RELEASE))]


def read_releases(snapshot: Snapshot) -> list[Published]:
    """The releases served to all users, oldest first; the last is the served one."""
    return [entry for entry in read_log_of_releases(snapshot) if entry.serves]


def append_release(transaction: Transaction, published: Published) -> None:
    """Appends an entry."""
    position = sum(1 for _ in transaction.scan(encode(Kind.RELEASE)))
    transaction.put(encode(Kind.RELEASE, position), codec.encode_published(published))
