"""Popularity: hits per item, the same for all users, with or without a half-life."""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Context, Vector
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream

_US_PER_DAY = 86_400_000_000


class MostPopular:
    """Counts hits per item; see `Recommender`. Needs no refit; O(1) per event."""

    name = "popularity"

    def __init__(self) -> None:
        self._likes = Likes()

    def fit(self, stream: Stream, until: int) -> None:
        """Counts the hits before `until`."""
        self._likes.follow(stream, until)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The counts, for every user and moment."""
        return self._likes.counts.copy()

    def learn(self, position: int) -> None:
        """Counts one event."""
        self._likes.add(position)


class DecayedPopularity:
    """Counts hits per item, each halved every `half_life_days`; see `Recommender`.

    Needs no refit; O(items) per event. All counts decay alike, so rankings do not depend on the
    moment.
    """

    name = "decayed-popularity"

    def __init__(self, half_life_days: float = 30.0) -> None:
        self._half_life_us = half_life_days * _US_PER_DAY
        self._likes = Likes()
        self._counts = np.zeros(0)
        self._as_of_us = 0

    def fit(self, stream: Stream, until: int) -> None:
        """Counts the new hits before `until`."""
        new = self._likes.follow(stream, until)
        if new.start == 0:
            self._counts = np.zeros(len(stream.items))
        for position in new:
            self._count(position)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The decayed counts, for every user."""
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
