"""The memory of baselines: each user's likes in order, and the number of hits of each item.

A like is an event that is relevant or has a positive reward. Not every like is a hit: at
`rating>=4`, a film rated 3 is a like, because the user chose to watch it. Baselines learn from
likes alone, because none of the methods can use a dislike.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.domain.types import Rows, Vector
from penchant.logs.stream import Stream

MOST_ITEMS = 20_000
"""Upper limit of items for baselines with a value per pair of items: 20,000² float64 are 3.2 GB."""

_NEGLIGIBLE = 1e-3
"""Likes with a smaller weight are left out."""


class Likes:
    """The likes of a stream before a position."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self.position = 0
        """Position of the first event that is not counted yet."""
        self.by_user: list[list[int]] = []
        """Items that each user liked, in order."""
        self.counts: Vector = np.zeros(0, np.float32)
        """Number of hits of each item, shape (items,); the scores of a cold user."""

    @property
    def stream(self) -> Stream:
        """The stream that was followed last.

        Raises:
            RuntimeError: no stream was followed yet.
        """
        if self._stream is None:
            raise RuntimeError("fit was not called yet; it sets the stream that positions refer to")
        return self._stream

    def follow(self, stream: Stream, until: int) -> range:
        """Counts the events before `until`; a new stream resets all counts.

        Returns:
            The new positions, so that incremental baselines learn each event once.
        """
        self.start(stream)
        new = range(self.position, until)
        for position in new:
            self.add(position)
        return new

    def start(self, stream: Stream) -> bool:
        """Resets all counts if the stream is new; returns whether it is."""
        if stream is self._stream:
            return False
        self._stream, self.position = stream, 0
        self.by_user = [[] for _ in stream.users]
        self.counts = np.zeros(len(stream.items), np.float32)
        return True

    def is_like(self, position: int) -> bool:
        """Whether the event is a like."""
        return bool(self.stream.relevant[position] or self.stream.reward[position] > 0)

    def add(self, position: int) -> None:
        """Counts one event; other events than likes are ignored."""
        item = int(self.stream.item[position])
        if self.is_like(position):
            self.by_user[self.stream.user[position]].append(item)
        if self.stream.relevant[position]:
            self.counts[item] += 1
        self.position = position + 1

    def decayed(self, user: int, decay: float) -> tuple[Rows, Vector]:
        """The items that a user liked, oldest first, and their weights, both of shape (n,).

        The last like weighs 1, each earlier one `decay` times the next, `decay` in (0, 1]. Weights
        below 0.001 are left out.
        """
        return decay_by_age(self.by_user[user], decay)


def decay_by_age(items: list[int], decay: float) -> tuple[Rows, Vector]:
    """The latest items with weights by their age in likes; see `Likes.decayed`.

    >>> decay_by_age([7, 8, 9], 0.5)
    (array([7, 8, 9]), array([0.25, 0.5 , 1.  ], dtype=float32))
    """
    most = len(items) if decay == 1 else int(np.log(_NEGLIGIBLE) / np.log(decay)) + 1
    latest = items[-most:]
    ages = np.arange(len(latest) - 1, -1, -1)
    return np.array(latest, np.int64), (decay**ages).astype(np.float32)


def check_pairs(name: str, items: int) -> None:
    """Checks that a value for every pair of items fits into memory.

    Raises:
        ConfigError: there are more than `MOST_ITEMS` items.
    """
    if items > MOST_ITEMS:
        raise ConfigError(
            f"peers: {name} holds a value for each pair of items, got {items} items, expected at "
            f"most {MOST_ITEMS}; leave {name} out, or evaluate on fewer items"
        )
