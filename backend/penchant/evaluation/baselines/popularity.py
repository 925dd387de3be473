"""What everybody likes, the same for all users; with a half-life, what everybody likes lately."""

from __future__ import annotations

import numpy as np

from penchant.domain.types import (
    Context,
    Vector,
)
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream

_US_PER_DAY = 86_400_000_000


class MostPopular:
    """Counts hits per item, for ever; see `Recommender`. Needs no re-fit; O(1) per event."""

    name = "popularity"

    def __init__(self) -> None:
        self._likes = Likes()

    def fit(self, stream: Stream, until: int) -> None:
        """Counts the hits before `until`."""
        self._likes.follow(stream, until)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The counts, whoever asks and whenever."""
        return self._likes.counts.copy()

    def learn(self, position: int) -> None:
        """Counts one event."""
        self._likes.add(position)


class DecayedPopularity:
    """Counts hits per item, each halved every `half_life_days`; see `Recommender`.

    Needs no re-fit; O(items) per event. All counts fade alike, so when one asks does not matter.
    """

    name = "decayed-popularity"

    def __init__(self, half_life_days: float = 30.0) -> None:
        self._half_life_us = half_life_days * _US_PER_DAY
        self._likes = Likes()
        self._counts = np.zeros(0)
        self._as_of_us = 0

    def fit(self, stream: Stream, until: int) -> None:
        """Counts the hits before `until` that are new."""
        new = self._likes.follow(stream, until)
        if new.start == 0:
            self._counts = np.zeros(len(stream.items))
        for position in new:
            self._count(position)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The decayed counts, whoever asks."""
        return self._counts.astype(np.float32)

    def learn(self, position: int) -> None:
        """Counts one event."""
        self._likes.add(position)
        self._count(position)

    def _count(self, position: int) -> None:
        stream = self._likes.stream
        if not stream.relevant[position]:
            return
        now = int(stream.at_us[position])
        self._counts *= 0.5 ** ((now - self._as_of_us) / self._half_life_us)
        self._as_of_us = now
        self._counts[stream.item[position]] += 1
