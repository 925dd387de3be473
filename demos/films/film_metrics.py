"""What a trial is, and the numbers of many: recall, NDCG, percentiles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

K = 10
"""Places that count."""


@dataclass(frozen=True, slots=True)
class EarlierBand:
    """A range of how many feedbacks a user had given, both ends included."""

    first: int
    last: int | None
    """None: no end."""

    def __str__(self) -> str:
        if self.last is None:
            return f"{self.first}+"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    def holds(self, count: int) -> bool:
        """Whether a count is in it."""
        return self.first <= count and (self.last is None or count <= self.last)


BANDS = (EarlierBand(0, 0), EarlierBand(1, 5), EarlierBand(6, 20), EarlierBand(21, None))
"""The rows of the demo's table."""

FINE_BANDS = (
    EarlierBand(0, 0),
    EarlierBand(1, 2),
    EarlierBand(3, 5),
    EarlierBand(6, 10),
    EarlierBand(11, 20),
    EarlierBand(21, 40),
    EarlierBand(41, 80),
    EarlierBand(81, 160),
    EarlierBand(161, None),
)
"""The points of the learning curve."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One film that a user went on to rate 4 or 5, and where it stood in two rankings before."""

    user: str
    item: str
    earlier: int
    """Feedbacks that the user had given before."""
    place: int | None
    """0 to 9 in Penchant's top ten; None: not in it."""
    popular_place: int | None
    """The same in the popularity ranking."""


@dataclass(frozen=True, slots=True)
class TrialQuality:
    """How good a ranking was over some trials; one relevant film a trial.

    >>> TrialQuality.of([0, None, 2, None])
    TrialQuality(trials=4, recall=0.5, ndcg=0.375)
    """

    trials: int
    recall: float
    """Share of the trials with the film in the top ten; NaN without trials."""
    ndcg: float
    """Mean of 1 / log2(place + 2), 0 where it is not in the top ten."""

    @classmethod
    def of(cls, places: Sequence[int | None]) -> TrialQuality:
        """From the places of the trials."""
        count = len(places)
        if not count:
            return cls(0, math.nan, math.nan)
        found = [place for place in places if place is not None]
        gain = sum(1 / math.log2(place + 2) for place in found)
        return cls(count, len(found) / count, gain / count)

    @property
    def error(self) -> float:
        """The standard error of the recall."""
        if not self.trials:
            return math.nan
        return math.sqrt(self.recall * (1 - self.recall) / self.trials)


@dataclass(frozen=True, slots=True)
class BandComparison:
    """Both rankings over the trials of one band."""

    band: EarlierBand
    penchant: TrialQuality
    popularity: TrialQuality

    @property
    def lift(self) -> float:
        """Recall over popularity's; NaN where that is nothing."""
        if not self.popularity.recall > 0:
            return math.nan
        return self.penchant.recall / self.popularity.recall

    @property
    def lift_error(self) -> float:
        """The standard error of the lift, as if the rankings were independent: rather too large."""
        ours, theirs = self.penchant, self.popularity
        if not (ours.recall > 0 and theirs.recall > 0):
            return math.nan
        return self.lift * math.hypot(ours.error / ours.recall, theirs.error / theirs.recall)


def compare(trials: Iterable[Trial], bands: Sequence[EarlierBand]) -> list[BandComparison]:
    """One comparison a band, empty ones included."""
    listed = list(trials)
    rows = []
    for band in bands:
        inside = [trial for trial in listed if band.holds(trial.earlier)]
        ours = TrialQuality.of([trial.place for trial in inside])
        theirs = TrialQuality.of([trial.popular_place for trial in inside])
        rows.append(BandComparison(band, ours, theirs))
    return rows


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed; NaN of none.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5), percentile([4.0, 1.0, 3.0, 2.0], 0.99)
    (2.0, 4.0)
    """
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
