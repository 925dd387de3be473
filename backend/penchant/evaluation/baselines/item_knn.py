"""Item-based nearest neighbours: cosine between the users of two items, updated per event.

Manos Papagelis, Ioannis Rousidis, Dimitris Plexousakis and Elias Theoharopoulos, "Incremental
Collaborative Filtering for Highly-Scalable Recommendation Algorithms", ISMIS 2005, for items: the
cosine's three sums are counters. The shrinkage follows Koren, "Factorization Meets the
Neighborhood", KDD 2008.
"""

from __future__ import annotations

import numpy as np

from penchant.domain.types import Context, Matrix, Vector
from penchant.evaluation.baselines.likes import Likes, check_pairs
from penchant.logs.stream import Stream


class ItemKnn:
    """Cosine between items over the users so far; see `Recommender`.

    Needs no refit; O(likes of the user) per event and O(items · likes) per ranking; 4 · items²
    bytes. A cold user gets popular items.
    """

    name = "item-knn"

    def __init__(self, *, decay: float = 0.8, shrinkage: float = 2.0) -> None:
        self._decay = decay
        self._shrinkage = shrinkage
        self._likes = Likes()
        self._together: Matrix = np.zeros((0, 0), np.float32)
        self._liked: list[set[int]] = []

    def fit(self, stream: Stream, until: int) -> None:
        """Counts the new likes before `until`."""
        check_pairs(self.name, len(stream.items))
        new = self._likes.follow(stream, until)
        if new.start == 0:
            self._together = np.zeros((len(stream.items), len(stream.items)), np.float32)
            self._liked = [set[int]() for _ in stream.users]
        for position in new:
            self._count(position)

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Similarities to the user's likes, summed with less weight for older ones."""
        items, weights = self._likes.decayed(user, self._decay)
        if items.size == 0:
            return self._likes.counts.copy()
        norms = np.sqrt(np.diagonal(self._together))
        similar = self._together[items]
        similar /= norms[items, None] * norms + (self._shrinkage + 1e-9)
        return weights @ similar

    def learn(self, position: int) -> None:
        """Counts one event."""
        self._likes.add(position)
        self._count(position)

    def _count(self, position: int) -> None:
        stream = self._likes.stream
        liked, item = self._liked[stream.user[position]], int(stream.item[position])
        if not self._likes.is_like(position) or item in liked:
            return
        others = list(liked)
        self._together[item, others] += 1
        self._together[others, item] += 1
        self._together[item, item] += 1
        liked.add(item)
