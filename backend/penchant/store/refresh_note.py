"""What the last refresh learnt from, when, and what failed since: for clocks and for people."""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass

from penchant.domain.errors import StateCorrupt
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, unseal
from penchant.store.keys import Kind, encode

_KEY = encode(Kind.REFRESHED)


@dataclass(frozen=True, slots=True)
class RefreshNote:
    """The state of a store's refreshes."""

    at_s: float = 0.0
    """When the last refresh published, in epoch seconds; 0: never."""
    took_s: float = 0.0
    """Seconds that it took."""
    events: int = 0
    """Events that it learnt from."""
    accepted: int = 0
    """Events that had ever been accepted when it read the log."""
    elsewhere: bool = False
    """Whether it learnt from another log than the store's own: of a file, or of a release."""
    learnt: str = ""
    """What the weights are, and why, for people; kept while the weights are."""
    failures: int = 0
    """Attempts of a clock that failed since."""
    error: str = ""
    """Why the last of them failed."""


def read_refresh_note(snapshot: Snapshot) -> RefreshNote:
    """The note; an empty one before the first refresh, or if it can't be read."""
    value = snapshot.get(_KEY)
    return RefreshNote() if value is None else _decoded(value)


def write_refresh_note(transaction: Transaction, note: RefreshNote) -> None:
    """Replaces the note."""
    transaction.put(_KEY, seal(json.dumps(dataclasses.asdict(note)).encode()))


@functools.lru_cache(maxsize=4)
def _decoded(value: bytes) -> RefreshNote:
    try:
        fields = json.loads(str(unseal(value, "refresh note"), "utf-8"))
        return RefreshNote(**fields)
    except (StateCorrupt, TypeError, ValueError):
        return RefreshNote()
