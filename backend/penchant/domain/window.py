"""A user's window: the latest events as an ordered set.

Any order of arrival gives the same window, byte for byte, because its order and its membership
depend on the events alone.
"""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from penchant.domain.context import slots_of
from penchant.domain.rewards import Outcome
from penchant.domain.types import NO_WAIT, WINDOW_DTYPE, Event, Record, Window

_ROW = struct.Struct("<qQQIffff5I")
"""WINDOW_DTYPE's layout."""
_NO_WAIT = float(NO_WAIT)


def digest64(text: str) -> int:
    """The first 64 bits of the text's BLAKE2b; 0 for the empty text.

    >>> digest64(""), digest64("e1") == digest64("e1")
    (0, True)
    """
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def empty_record() -> Record:
    """The record of a user never seen before."""
    return Record(state_version=0, window=np.empty(0, WINDOW_DTYPE))


def entry(event: Event, item_number: int, outcome: Outcome) -> bytes:
    """One row of a window, as the bytes of WINDOW_DTYPE."""
    return _ROW.pack(
        event.occurred_at_us,
        digest64(event.event_id),
        digest64(event.recommendation_id),
        item_number,
        outcome.reward,
        outcome.weight,
        _NO_WAIT if outcome.wait_s is None else outcome.wait_s,
        event.exposure.propensity if event.exposure else 0.0,
        *slots_of(event.context),
    )


def insert(record: Record, entries: list[bytes], capacity: int) -> Record:
    """The record after new events: the latest `capacity` of the old and the new ones.

    Args:
        record: the user's record.
        entries: rows made by `entry`, of events that the user's log does not hold yet.
        capacity: how many events a window keeps, 1 or more.

    Returns:
        A record with the state version raised by the number of entries. Cost: a sort of at most
        capacity + len(entries) rows, none where one newer event arrives.
    """
    if not entries:
        return record
    # Bytes, since NumPy takes longer to compare the types of two such arrays than to copy them.
    added: Window = np.frombuffer(b"".join(entries), WINDOW_DTYPE)
    window: Window = np.frombuffer(record.window.tobytes() + added.tobytes(), WINDOW_DTYPE)
    if len(added) > 1 or not _in_order(record.window, added):
        window = window[np.lexsort((window["event"], window["occurred_at_us"]))]
    return Record(record.state_version + len(entries), window[-capacity:])


def _in_order(window: Window, added: Window) -> bool:
    return len(window) == 0 or bool(
        (window["occurred_at_us"][-1], window["event"][-1])
        < (added["occurred_at_us"][0], added["event"][0])
    )
