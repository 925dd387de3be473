"""Quality of Penchant and of popularity over many rankings: recall, NDCG and their ratio."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from penchant.evaluation.plots import CURVE
from penchant.evaluation.summary import CountRange

__all__ = ["ALL", "BANDS", "CURVE", "BandComparison", "K", "LiveRankingQuality", "WatchedRanking"]

K = 10
"""Number of top places that count as a hit."""

BANDS = (CountRange(0, 0), CountRange(1, 5), CountRange(6, 20), CountRange(21, None))
"""Rows of the demo's table, by the number of earlier feedbacks of the user."""

ALL = CountRange(0, None)


@dataclass(frozen=True, slots=True)
class WatchedRanking:
    """Rankings just before a user rated a film 4 or 5, and the film's place in each."""

    user: str
    item: str
    earlier: int
    """Number of feedbacks that the user had given before."""
    place: int | None
    """Place in Penchant's top ten, from 0; None if the film is not in it."""
    popular_place: int | None
    """Place in the top ten by popularity, from 0; None if the film is not in it."""
    first_clock_place: int | None = None
    """Place in Penchant's top ten if nothing were ever refreshed; None if the film is not in it."""


@dataclass(frozen=True, slots=True)
class LiveRankingQuality:
    """Quality of rankings that each have one relevant film.

    >>> LiveRankingQuality.of([0, None, 2, None])
    LiveRankingQuality(rankings=4, recall=0.5, ndcg=0.375)
    """

    rankings: int
    recall: float
    """Share of the rankings with the film in the top ten; NaN without rankings."""
    ndcg: float
    """Mean of 1 / log2(place + 2), where a film outside the top ten counts 0."""

    @classmethod
    def of(cls, places: Sequence[int | None]) -> LiveRankingQuality:
        """The quality of rankings with the film at these places; None is outside the top ten."""
        count = len(places)
        if not count:
            return cls(0, math.nan, math.nan)
        found = [place for place in places if place is not None]
        gain = sum(1 / math.log2(place + 2) for place in found)
        return cls(count, len(found) / count, gain / count)

    @property
    def error(self) -> float:
        """Standard error of the recall."""
        if not self.rankings:
            return math.nan
        return math.sqrt(self.recall * (1 - self.recall) / self.rankings)


@dataclass(frozen=True, slots=True)
class BandComparison:
    """Quality of Penchant and of popularity in one band of earlier feedbacks."""

    band: CountRange
    penchant: LiveRankingQuality
    popularity: LiveRankingQuality
    first_clock: LiveRankingQuality
    """Penchant, had nothing been refreshed."""

    @property
    def lift(self) -> float:
        """Penchant's recall divided by popularity's; NaN if popularity's is 0."""
        if not self.popularity.recall > 0:
            return math.nan
        return self.penchant.recall / self.popularity.recall

    @property
    def lift_error(self) -> float:
        """Standard error of the lift.

        An overestimate: it takes the two rankings as independent, which they are not.
        """
        ours, theirs = self.penchant, self.popularity
        if not (ours.recall > 0 and theirs.recall > 0):
            return math.nan
        return self.lift * math.hypot(ours.error / ours.recall, theirs.error / theirs.recall)


def compare(
    rankings: Iterable[WatchedRanking], bands: Sequence[CountRange]
) -> list[BandComparison]:
    """Compares Penchant with popularity in each band, including bands without rankings."""
    listed = list(rankings)
    earlier = np.array([ranking.earlier for ranking in listed], np.int64)
    rows = []
    for band in bands:
        inside = [listed[index] for index in np.flatnonzero(band.holds(earlier))]
        ours = LiveRankingQuality.of([ranking.place for ranking in inside])
        theirs = LiveRankingQuality.of([ranking.popular_place for ranking in inside])
        first = LiveRankingQuality.of([ranking.first_clock_place for ranking in inside])
        rows.append(BandComparison(band, ours, theirs, first))
    return rows
