"""A log as arrays: items and users by number, events in time order."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.types import Event, Item


@dataclass(frozen=True, slots=True)
class Stream:
    """Items and the events about them, in time order; n events in all arrays."""

    items: tuple[Item, ...]
    """An item's number is its place here."""
    users: tuple[str, ...]
    """A user's number is its place here."""
    events: tuple[Event, ...]
    """As they would be sent to a server."""
    user: NDArray[np.int64]
    """The user's number, shape (n,)."""
    item: NDArray[np.int64]
    """The item's number, shape (n,)."""
    at_us: NDArray[np.int64]
    """Microseconds since 1970, never falling, shape (n,)."""
    reward: NDArray[np.float32]
    """-1 to 1, shape (n,)."""
    weight: NDArray[np.float32]
    """0 or more, shape (n,)."""
    relevant: NDArray[np.bool_]
    """Which events count as a hit, shape (n,)."""
    put_at: NDArray[np.int64]
    """The position before which each item was put, shape (items,); 0: known from the start."""


def part_of(stream: Stream, positions: NDArray[np.int64]) -> Stream:
    """The stream of some of its events, in the order of their positions, shape (m,).

    Items and users keep their numbers.
    """
    return dataclasses.replace(
        stream,
        events=tuple(stream.events[position] for position in positions.tolist()),
        user=stream.user[positions],
        item=stream.item[positions],
        at_us=stream.at_us[positions],
        reward=stream.reward[positions],
        weight=stream.weight[positions],
        relevant=stream.relevant[positions],
    )


def first_events(stream: Stream, count: int) -> Stream:
    """The stream as it was after so many events."""
    return part_of(stream, np.arange(min(count, len(stream.events))))
