"""Decayed counters per item."""

from __future__ import annotations

from collections.abc import Iterator

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import Counters
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import readable, say_corrupt
from penchant.store.keys import Kind, encode

_REMEDY = "run `penchant rebuild counters`, which makes them from the log"


def read_counters(snapshot: Snapshot, item_number: int) -> Counters:
    """The counters of an item; zeros if there are none, or if they are corrupt, as the log says."""
    value = snapshot.get(encode(Kind.COUNTERS, item_number))
    if value is None:
        return Counters()
    try:
        return codec.decode_counters(value)
    except StateCorrupt as error:
        say_corrupt(error, [item_number], _REMEDY)
        return Counters()


def write_counters(transaction: Transaction, item_number: int, counters: Counters) -> None:
    """Replaces an item's counters."""
    transaction.put(encode(Kind.COUNTERS, item_number), codec.encode_counters(counters))


def scan_counters(snapshot: Snapshot) -> Iterator[tuple[int, Counters]]:
    """The number and the counters of every item, in order of the numbers."""
    rows = snapshot.scan(encode(Kind.COUNTERS))
    for (number,), counters in readable(rows, codec.decode_counters, _REMEDY):
        yield int(number), counters
