"""Personal frequency: what this user liked most often, then what everybody likes.

Haoji Hu, Xiangnan He, Jinyang Gao and Zhi-Li Zhang, "Modeling Personalized Item Frequency
Information for Next-basket Recommendation", SIGIR 2020, and the baseline GP-TopFreq of Ming Li et
al., "A Next Basket Recommendation Reality Check", 2021: counts of the user first, popularity for
the rest.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from penchant.domain.types import Context, Vector
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream

_US_PER_DAY = 86_400_000_000


class PersonalFrequency:
    """Counts each user's likes per item, ties by popularity; see `Recommender`.

    Needs no refit; O(1) per event, O(items + likes of the user) per ranking.
    """

    name = "personal-frequency"

    def __init__(self, *, half_life_days: float | None = None, pause_s: float = 0.0) -> None:
        self._half_life_us = None if half_life_days is None else half_life_days * _US_PER_DAY
        self._pause_us = pause_s * 1e6
        self._likes = Likes()
        self._own: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)

    def fit(self, stream: Stream, until: int) -> None:
        """Counts the new likes before `until`."""
        new = self._likes.follow(stream, until)
        if new.start == 0:
            self._own.clear()
        for position in new:
            self._count(position)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """The user's counts, and popularity as a fraction of one count."""
        popular = self._likes.counts
        scores: Vector = popular / (1.0 + popular.max(initial=0.0)) * np.float32(1e-3)
        latest: set[int] = set()
        for item, then_us in self._own[user]:
            if at_us - then_us < self._pause_us:
                latest.add(item)
            elif self._half_life_us is None:
                scores[item] += 1.0
            else:
                scores[item] += 2.0 ** (-(at_us - then_us) / self._half_life_us)
        scores[list(latest)] = 0.0
        return scores

    def learn(self, position: int) -> None:
        """Counts one event."""
        self._likes.add(position)
        self._count(position)

    def _count(self, position: int) -> None:
        if self._likes.is_like(position):
            stream = self._likes.stream
            entry = (int(stream.item[position]), int(stream.at_us[position]))
            self._own[int(stream.user[position])].append(entry)


class RecentPersonalFrequency(PersonalFrequency):
    """`PersonalFrequency` halved every 30 days, without what was liked within the hour."""

    name = "personal-frequency-decayed"

    def __init__(self) -> None:
        super().__init__(half_life_days=30.0, pause_s=3600.0)
