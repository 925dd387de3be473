"""Decayed counters per item."""

from __future__ import annotations

from collections.abc import Iterator

from penchant.domain.types import Counters
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, decode, encode


def read_counters(snapshot: Snapshot, item_number: int) -> Counters:
    """The counters of an item; zeros if there are none."""
    value = snapshot.get(encode(Kind.COUNTERS, item_number))
    return Counters() if value is None else codec.decode_counters(value)


def write_counters(transaction: Transaction, item_number: int, counters: Counters) -> None:
    """Replaces an item's counters."""
    transaction.put(encode(Kind.COUNTERS, item_number), codec.encode_counters(counters))


def scan_counters(snapshot: Snapshot) -> Iterator[tuple[int, Counters]]:
    """The number and the counters of every item, in order of the numbers."""
    for key, value in snapshot.scan(encode(Kind.COUNTERS)):
        _, (number,) = decode(key)
        yield int(number), codec.decode_counters(value)
