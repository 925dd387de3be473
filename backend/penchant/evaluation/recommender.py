"""What can be evaluated: anything that scores the whole catalog and learns event by event."""

from __future__ import annotations

from typing import Protocol

from penchant.domain.types import (
    Context,
    Vector,
)
from penchant.logs.stream import Stream


class Recommender(Protocol):
    """Called in this order: `fit` once before the first ranking, then `scores` and `learn`.

    `fit` is called again at each re-fit moment. Nothing may look past what it was given: `fit` may
    read `stream` up to `until`, `learn` up to and with its position.
    """

    name: str
    """As the tables show it."""

    def fit(self, stream: Stream, until: int) -> None:
        """Learns from the events before position `until`, all of which were known or learnt."""

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """One score per item for a user at a moment, shape (items,); higher ranks earlier.

        Args:
            user: the user's number.
            at_us: the moment, in microseconds since 1970.
            context: where and when, as the event that is looked for has it.
        """

    def learn(self, position: int) -> None:
        """Learns from one event of the stream that was last fitted."""
