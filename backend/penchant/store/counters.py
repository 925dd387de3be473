"""Decayed counters per item, and the list of those that another process than feedback changed."""

from __future__ import annotations

import dataclasses
import struct
from array import array
from collections.abc import Iterable, Iterator

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, added, withdrawn
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import say_corrupt
from penchant.store.keys import Kind, decode, encode

_PARTS = struct.Struct("<d??")
"""Half-life, and whether a contribution is taken and another given, which follow."""
_PART = struct.Struct("<dddq")
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


def change_counters(
    transaction: Transaction,
    item_number: int,
    taken: UserContribution | None,
    given: UserContribution | None,
    half_life_s: float,
    user: str,
) -> None:
    """Takes a contribution out of an item's counters and puts another one in.

    Args:
        transaction: writes the user's own contribution as well.
        item_number: of the item.
        taken: the contribution that the counters hold; None: none.
        given: the one that they shall hold; None: none.
        half_life_s: seconds after which a contribution counts half.
        user: whose contribution it is; `penchant.store.item_contributions.CATALOG`: the catalog's.
    """
    parts = [_PARTS.pack(half_life_s, taken is not None, given is not None)]
    parts += [_PART.pack(*dataclasses.astuple(one)) for one in (taken, given) if one is not None]
    transaction.merge(encode(Kind.COUNTERS, item_number), codec.seal(b"".join(parts)), user=user)


def counters_with(row: bytes | None, operand: bytes) -> bytes | None:
    """The rule of their merges; counters that can't be read stay as they are, until recounted."""
    payload = codec.unseal(operand, "change of counters")
    half_life_s, takes, gives = _PARTS.unpack_from(payload)
    parts = [UserContribution(*part) for part in _PART.iter_unpack(payload[_PARTS.size :])]
    try:
        counters = Counters() if row is None else codec.decode_counters(row)
    except StateCorrupt:
        return row
    if takes:
        counters = withdrawn(counters, parts[0], half_life_s)
    if gives:
        counters = added(counters, parts[-1], half_life_s)
    elif counters == Counters():
        return None
    return codec.encode_counters(counters)


def scan_counters(snapshot: Snapshot) -> Iterator[tuple[int, Counters]]:
    """The number and the counters of every item, in order of the numbers; see `read_counters`."""
    for key, value in snapshot.scan(encode(Kind.COUNTERS)):
        _, (number,) = decode(key)
        yield int(number), _readable(int(number), value)


def counters_of_row(key: bytes, value: bytes | None) -> tuple[int, Counters]:
    """The number and the counters of a row; zeros for one that is gone; see `read_counters`."""
    _, (number,) = decode(key)
    return int(number), Counters() if value is None else _readable(int(number), value)


def add_recounted(transaction: Transaction, item_numbers: Iterable[int]) -> None:
    """Notes items whose counters changed, for the process that holds them in memory.

    Nothing is noted where several servers write: each of them follows all counters by itself.
    """
    if transaction.shared:
        return
    last = -1
    for key, _ in transaction.scan(encode(Kind.RECOUNTED)):
        _, (position,) = decode(key)
        last = int(position)
    value = codec.seal(array("q", item_numbers).tobytes())
    transaction.put(encode(Kind.RECOUNTED, last + 1), value)


def take_recounted(transaction: Transaction) -> set[int]:
    """Removes the notes, and returns the items that they name."""
    numbers: set[int] = set()
    if transaction.shared:
        return numbers
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
