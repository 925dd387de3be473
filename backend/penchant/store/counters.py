"""Decayed counters per item, and the list of those that another process than feedback changed."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import Counters
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import say_corrupt
from penchant.store.keys import Kind, decode, encode

_REMEDY = "run `penchant rebuild counters`, which makes them from the log"


def read_counters(snapshot: Snapshot, item_number: int) -> Counters:
    """The counters of an item; zeros if there are none, or none that can be read.

    Raises:
        StateTooNew: a newer release wrote them.
    """
    value = snapshot.get(encode(Kind.COUNTERS, item_number))
    return Counters() if value is None else _readable(item_number, value)


def write_counters(transaction: Transaction, item_number: int, counters: Counters) -> None:
    """Replaces an item's counters."""
    transaction.put(encode(Kind.COUNTERS, item_number), codec.encode_counters(counters))


def delete_counters(transaction: Transaction, item_number: int) -> None:
    """Removes an item's counters."""
    transaction.delete(encode(Kind.COUNTERS, item_number))


def scan_counters(snapshot: Snapshot) -> Iterator[tuple[int, Counters]]:
    """The number and the counters of every item, in order of the numbers; see `read_counters`."""
    for key, value in snapshot.scan(encode(Kind.COUNTERS)):
        _, (number,) = decode(key)
        yield int(number), _readable(int(number), value)


def add_recounted(transaction: Transaction, item_numbers: Iterable[int]) -> None:
    """Notes items whose counters changed, for the process that holds them in memory."""
    last = -1
    for key, _ in transaction.scan(encode(Kind.RECOUNTED)):
        _, (position,) = decode(key)
        last = int(position)
    value = codec.seal(array("q", item_numbers).tobytes())
    transaction.put(encode(Kind.RECOUNTED, last + 1), value)


def take_recounted(transaction: Transaction) -> set[int]:
    """Removes the notes, and returns the items that they name."""
    numbers: set[int] = set()
    for key, value in list(transaction.scan(encode(Kind.RECOUNTED))):
        noted = array("q")
        try:
            noted.frombytes(codec.unseal(value, "recounted items"))
        except (StateCorrupt, ValueError):  # It named some of all items.
            noted = array("q", (number for number, _ in scan_counters(transaction)))
        numbers.update(noted)
        transaction.delete(key)
    return numbers


UNREADABLE = Counters()
"""The counters of an item whose row is corrupt."""


def _readable(item_number: int, value: bytes) -> Counters:
    """One damaged row must not keep every other item from being counted and ranked."""
    try:
        return codec.decode_counters(value)
    except StateCorrupt as error:
        say_corrupt(error, [item_number], _REMEDY)
        return UNREADABLE
