"""What peers remember of the stream: who liked what, in order, and how often each item was a hit.

A like is an event with a positive reward, or a relevant one. It is often more than a hit: at
`rating>=4` a film rated 3 is a like, for it was chosen. Peers learn from likes alone, as none of
the methods has a place for a dislike.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.domain.types import Rows, Vector
from penchant.logs.stream import Stream

MOST_ITEMS = 20_000
"""Peers that hold a value for each pair of items take no more: 20,000² float64 are 3.2 GB."""

_NEGLIGIBLE = 1e-3
"""A like whose weight has fallen below this is left out of a user's taste."""


class Likes:
    """The likes of a stream up to a position."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self.position = 0
        """Events before it are in."""
        self.by_user: list[list[int]] = []
        """The items that each user liked, in order."""
        self.counts: Vector = np.zeros(0, np.float32)
        """How often each item was a hit, shape (items,); what a cold user gets."""

    @property
    def stream(self) -> Stream:
        """The stream that was followed last.

        Raises:
            RuntimeError: none was yet.
        """
        if self._stream is None:
            raise RuntimeError("fit was not called yet; it says which stream the positions are of")
        return self._stream

    def follow(self, stream: Stream, until: int) -> range:
        """Takes in the events before `until`; another stream than before starts afresh.

        Returns:
            The positions that are new, so that incremental peers learn each event once.
        """
        self.start(stream)
        new = range(self.position, until)
        for position in new:
            self.add(position)
        return new

    def start(self, stream: Stream) -> bool:
        """Whether the stream is another than before; if so, it starts afresh with no event."""
        if stream is self._stream:
            return False
        self._stream, self.position = stream, 0
        self.by_user = [[] for _ in stream.users]
        self.counts = np.zeros(len(stream.items), np.float32)
        return True

    def is_like(self, position: int) -> bool:
        """Whether that event is one to learn from."""
        return bool(self.stream.relevant[position] or self.stream.reward[position] > 0)

    def add(self, position: int) -> None:
        """Takes in one event; it is ignored if it is no like."""
        item = int(self.stream.item[position])
        if self.is_like(position):
            self.by_user[self.stream.user[position]].append(item)
        if self.stream.relevant[position]:
            self.counts[item] += 1
        self.position = position + 1

    def decayed(self, user: int, decay: float) -> tuple[Rows, Vector]:
        """The items a user liked, oldest first, and their weights, both of shape (n,).

        The last like weighs 1, each one before it `decay` times the next, `decay` in (0, 1];
        those that weigh less than 0.001 are left out.
        """
        return decay_by_age(self.by_user[user], decay)


def decay_by_age(items: list[int], decay: float) -> tuple[Rows, Vector]:
    """Weights by age in events; see `Likes.decayed`.

    >>> decay_by_age([7, 8, 9], 0.5)
    (array([7, 8, 9]), array([0.25, 0.5 , 1.  ], dtype=float32))
    """
    most = len(items) if decay == 1 else int(np.log(_NEGLIGIBLE) / np.log(decay)) + 1
    latest = items[-most:]
    ages = np.arange(len(latest) - 1, -1, -1)
    return np.array(latest, np.int64), (decay**ages).astype(np.float32)


def check_pairs(name: str, items: int) -> None:
    """Refuses a catalog whose pairs of items would not fit the memory.

    Raises:
        ConfigError: more than `MOST_ITEMS`.
    """
    if items > MOST_ITEMS:
        raise ConfigError(
            f"peers: {name} holds a value for each pair of items, got {items} items, expected at "
            f"most {MOST_ITEMS}; leave {name} out, or evaluate on fewer items"
        )
