"""How well item vectors rank the validation part of a log, by the server's own fold and score."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from penchant.config import Config
from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation import metrics
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.stream import Stream, first_events

K = 10
"""Cut-off of both metrics."""


@dataclass(frozen=True, slots=True)
class RankingQuality:
    """Means over n rankings, each with one relevant item; 0 to 1."""

    ndcg: float
    """NDCG@10: mean of 1 / log2(1 + rank) where the rank is 10 or better, else 0."""
    recall: float
    """recall@10: share of rankings with the item among the first 10."""
    rankings: int
    """n."""


class ValidationRankings:
    """The rankings of one part of a log, replayed for any vectors of the log's items.

    Item vectors stay fixed during a replay: the middle clock does not run.
    """

    def __init__(
        self, stream: Stream, targets: EvaluationTargets, plan: ReplayConfig, config: Config
    ) -> None:
        """Takes events already chosen; see `of_part` and `of_newest`.

        Args:
            stream: items and log.
            targets: the n events to rank for.
            plan: the replay they were chosen for.
            config: settings of the server that will use the vectors.
        """
        self._stream, self._targets, self._plan, self._config = stream, targets, plan, config
        self.user = stream.user[targets.positions]
        """The user of each ranking, shape (n,)."""
        self.texts = [item.text for item in stream.items]
        """The texts of all items."""

    @classmethod
    def of_part(cls, stream: Stream, part: range, config: Config, most: int) -> ValidationRankings:
        """Ranks for the relevant events in a range of positions.

        Args:
            stream: items and log; events after the part are never read.
            part: positions to rank for; the events before it are learnt first.
            config: settings of the server that will use the vectors.
            most: maximum number of rankings, 1 or more; evenly spread events are taken of more.

        Raises:
            ConfigError: no event of the part can be ranked for.
        """
        known = first_events(stream, part.stop)
        # Half an event more, since `ReplayConfig.start` rounds down.
        plan = ReplayConfig((part.start + 0.5) / part.stop, refresh_every=0, candidates="unseen")
        found = choose_targets(known, plan)
        count = len(found.positions)
        spread = np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)
        targets = found.taken(spread)
        return cls(known, targets, plan, config)

    @classmethod
    def of_newest(
        cls, stream: Stream, fraction: float, config: Config, most: int
    ) -> ValidationRankings:
        """Ranks for the relevant events among the newest share of a log.

        Args:
            stream: items and log.
            fraction: share of the events to rank for, above 0, below 1.
            config: settings of the server that will use the vectors.
            most: maximum number of rankings, 1 or more; every n-th event is taken of more.

        Raises:
            ConfigError: the fraction is out of range, or no event can be ranked for.
        """
        if not 0 < fraction < 1:
            raise ConfigError(f"validation_fraction: got {fraction}, expected above 0, below 1")
        plan = ReplayConfig(1 - fraction, refresh_every=0, candidates="unseen")
        found = choose_targets(stream, plan)
        every = max(1, -(-len(found.positions) // most))
        plan = replace(plan, every=every)
        return cls(stream, choose_targets(stream, plan), plan, config)

    def gains(self, vectors: Matrix) -> Float64:
        """NDCG@10 and recall@10 of each ranking.

        Args:
            vectors: unit vectors of all items, shape (items, d).

        Returns:
            Shape (n, 2). Cost: a fold and a pass over the catalog for each ranking.
        """
        # Only here: it loads ONNX Runtime, which the help of a command does not need.
        from penchant.evaluation.penchant import PenchantRecommender

        recommender = PenchantRecommender(self._config, vectors)
        ranks = replay(self._stream, recommender, self._targets, self._plan).rank
        return np.stack([metrics.ndcg(ranks, K), metrics.recall(ranks, K)], axis=1)

    def quality(self, vectors: Matrix) -> RankingQuality:
        """Means of `gains` over all rankings."""
        gains = self.gains(vectors)
        return RankingQuality(float(gains[:, 0].mean()), float(gains[:, 1].mean()), len(gains))
