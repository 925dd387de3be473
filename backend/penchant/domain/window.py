"""A user's window: the latest events as an ordered set.

Order and membership depend on the events alone, so any order of arrival gives the same window, byte
for byte.
"""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from penchant.domain.context import slots_of
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.signal_weights import signal_code
from penchant.domain.types import NO_WAIT, WINDOW_DTYPE, Event, Record, Window

_ROW = struct.Struct("<qQQIfffeH5I")
"""The layout of WINDOW_DTYPE."""
_NO_WAIT = float(NO_WAIT)

_LEAST_CHANCE, _MOST_CHANCE = 2.0**-24, 1 - 2.0**-11
"""The smallest propensity above 0 and the largest below 1 that a window can hold, in 16 bits."""


def digest64(text: str) -> int:
    """The first 64 bits of the text's BLAKE2b digest; 0 for the empty text.

    >>> digest64(""), digest64("e1") == digest64("e1")
    (0, True)
    """
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def half_propensity(chance: float) -> float:
    """A propensity as a window can hold it: one between 0 and 1 stays between them.

    >>> half_propensity(0.25), half_propensity(0.99999) < 1, half_propensity(1e-9) > 0
    (0.25, True, True)
    """
    return max(_LEAST_CHANCE, min(chance, _MOST_CHANCE)) if 0 < chance < 1 else chance


def empty_record() -> Record:
    """The record of a user without events."""
    return Record(state_version=0, window=np.empty(0, WINDOW_DTYPE))


def entry(event: Event, item_number: int, signal: ResolvedSignal) -> bytes:
    """One row of a window, as the bytes of WINDOW_DTYPE."""
    return _ROW.pack(
        event.occurred_at_us,
        digest64(event.event_id),
        digest64(event.recommendation_id),
        item_number,
        signal.reward,
        signal.weight,
        _NO_WAIT if signal.wait_s is None else signal.wait_s,
        half_propensity(event.exposure.propensity) if event.exposure else 0.0,
        signal_code(event.signal),
        *slots_of(event.context),
    )


def insert(record: Record, entries: list[bytes], capacity: int) -> Record:
    """Adds events to a record, which keeps the latest `capacity` of all.

    Args:
        record: the user's record.
        entries: rows from `entry`, for events that are not in the user's log yet.
        capacity: size limit of the window, in events, 1 or more.

    Returns:
        The record, with its state version raised by the number of entries. Cost: a sort of at most
        capacity + len(entries) rows; no sort for a single event newer than the window.
    """
    if not entries:
        return record
    # Joined as bytes: NumPy compares the types of two such arrays more slowly than it copies them.
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
