"""How well vectors rank one part of the log: the server's own fold and score, replayed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.config import Config
from penchant.domain.types import Matrix
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.stream import Stream, first_events

K = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the relevant events of a part, 0 to 1; one relevant item an event."""

    recall: float
    """Share with the item among the first 10."""
    ndcg: float
    """Mean of 1 / log2(rank + 1) where the rank is 10 or better, else 0."""
    events: int


class Ranker:
    """Replays one part of a stream for vectors, again and again; no re-fit on the way."""

    def __init__(self, stream: Stream, part: range, config: Config, max_events: int) -> None:
        """Chooses the events.

        Args:
            stream: the log; nothing behind the part is looked at.
            part: relevant events in it are ranked for, all before it are learnt first.
            config: the settings of the server that will use the encoder.
            max_events: where the part has more relevant events, evenly spread ones are taken.

        Raises:
            ConfigError: no event of the part can be ranked for.
        """
        self._config = config
        self._stream = first_events(stream, part.stop)
        # Half an event more, since the plan rounds down.
        self._plan = ReplayConfig((part.start + 0.5) / part.stop, refresh_every=0)
        found = choose_targets(self._stream, self._plan)
        count = len(found.positions)
        spread = np.linspace(0, count - 1, min(max_events, count)).round().astype(np.int64)
        self._targets = EvaluationTargets(
            found.positions[spread], found.earlier[spread], found.item_age[spread], found.seen
        )

    def quality(self, vectors: Matrix) -> Quality:
        """How well unit vectors of all items, shape (items, d), rank the part.

        Cost: a fold and a pass over the catalog for each event that is ranked for.
        """
        recommender = PenchantRecommender(self._config, vectors)
        return quality_of(replay(self._stream, recommender, self._targets, self._plan).rank)


def quality_of(ranks: NDArray[np.float64]) -> Quality:
    """From the places of the items, 1 is best; NaN where there are none.

    >>> quality_of(np.array([1.0, 3.0, 11.0, 40.0]))
    Quality(recall=0.5, ndcg=0.375, events=4)
    """
    if not len(ranks):
        return Quality(math.nan, math.nan, 0)
    found = ranks <= K
    gain = np.where(found, 1 / np.log2(ranks + 1), 0.0)
    return Quality(float(found.mean()), float(gain.mean()), len(ranks))
