"""The log of releases: which one was served from when."""

from __future__ import annotations

from penchant.domain.types import Published
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import readable
from penchant.store.keys import Kind, encode

_PUBLISH = "a release that it named can be published again, by its id"


def read_log_of_releases(snapshot: Snapshot) -> list[Published]:
    """All entries, including those of rollouts, oldest first.

    Corrupt ones are left out, and said in the log: what is served is in the catalog's head.
    """
    rows = snapshot.scan(encode(Kind.RELEASE))
    return [entry for _, entry in readable(rows, codec.decode_published, _PUBLISH)]


def log_of_releases_is_whole(snapshot: Snapshot) -> bool:
    """Whether every entry can be read."""
    return len(read_log_of_releases(snapshot)) == _entries(snapshot)


def read_releases(snapshot: Snapshot) -> list[Published]:
    """The releases served to all users, oldest first; the last is the served one."""
    return [entry for entry in read_log_of_releases(snapshot) if entry.serves]


def append_release(transaction: Transaction, published: Published) -> None:
    """Appends an entry."""
    key = encode(Kind.RELEASE, _entries(transaction))
    transaction.put(key, codec.encode_published(published))


def _entries(snapshot: Snapshot) -> int:
    return sum(1 for _ in snapshot.scan(encode(Kind.RELEASE)))
