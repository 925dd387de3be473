"""The time of the newest accepted event: with it, an old log is ranked as of its own end."""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping

from penchant.domain.errors import StateCorrupt
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, unseal
from penchant.store.keys import Kind, encode

_KEY = encode(Kind.NEWEST)
_TIME = struct.Struct("<q")


def read_newest(snapshot: Snapshot) -> int | None:
    """Microseconds since 1970; None before the first event, or if it can't be read."""
    value = snapshot.get(_KEY)
    return None if value is None else _decoded(value)


def write_newest(transaction: Transaction, at_us: int) -> None:
    """Replaces the time, in microseconds since 1970."""
    transaction.put(_KEY, seal(_TIME.pack(at_us)))


def raise_newest(transaction: Transaction, at_us: int, user: str) -> None:
    """Makes it the time of a user's event, in microseconds since 1970, if that is later."""
    transaction.merge(_KEY, seal(_TIME.pack(at_us)), user=user)


def newest_with(row: bytes | None, operand: bytes) -> bytes:
    """The rule of its merges: the later of both; a row that can't be read counts as none."""
    (at_us,) = _TIME.unpack(unseal(operand, "time of an event"))
    if row is None:
        return operand
    before_us = _decoded(row)
    return row if before_us is not None and before_us >= at_us else operand


def note_newest(transaction: Transaction, newest_us: int, by_user: Mapping[str, int]) -> None:
    """Writes the time of the newest event, if it is another than before.

    Args:
        transaction: of a batch.
        newest_us: of all events, those of the batch included; earlier than before where a wrong
            clock had dated some.
        by_user: time of the newest event of each user in the batch.
    """
    before_us = read_newest(transaction)
    if before_us == newest_us:
        return
    if not transaction.shared or (before_us is not None and before_us > newest_us):
        write_newest(transaction, newest_us)
        return
    for user, at_us in by_user.items():
        if before_us is None or at_us > before_us:
            raise_newest(transaction, at_us, user)


def delete_newest(transaction: Transaction) -> None:
    """Removes the time, where no event is left."""
    transaction.delete(_KEY)


@functools.lru_cache(maxsize=4)
def _decoded(value: bytes) -> int | None:
    """Cached, since every ranking reads it."""
    try:
        (at_us,) = _TIME.unpack(unseal(value, "newest event"))
    except (StateCorrupt, struct.error):
        return None  # The next feedback writes it again.
    return int(at_us)
