"""Interfaces of a replay: the recommender, and the training of its encoder on the way."""

from __future__ import annotations

from typing import Protocol

from penchant.domain.types import Context, Matrix, Vector
from penchant.logs.stream import Stream


class Recommender(Protocol):
    """Scores the whole catalog, and learns event by event.

    A replay calls `fit` once before the first ranking, then `scores` and `learn` in turn, and `fit`
    again at each refit. Nothing may look ahead: `fit` may read `stream` before `until`, `learn` up
    to and including its position.
    """

    name: str
    """Name shown in the tables."""

    def fit(self, stream: Stream, until: int) -> None:
        """Learns from the events before position `until`, some of which it may have learnt."""

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Scores every item for a user at a moment, shape (items,); higher ranks earlier.

        Args:
            user: number of the user.
            at_us: the moment, in microseconds since 1970.
            context: where and when; the context of the event to predict.
        """

    def learn(self, position: int) -> None:
        """Learns from one event of the stream that was last fitted."""


class EncoderRetraining(Protocol):
    """Trains the encoder again during a replay; `penchant.training.slow_clock` implements it."""

    @property
    def dimensions(self) -> int:
        """Length of the vectors, d."""

    def __call__(self, stream: Stream, until: int) -> Matrix | None:
        """New text vectors, shape (items, d), learnt from the events before `until`.

        None if no training is due.
        """
