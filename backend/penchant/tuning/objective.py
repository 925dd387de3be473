"""The objective of a search: ranking quality on the training part of a log.

The training part is cut off first, so that later events can't be read by accident. Within it, the
older two thirds are trained on as in `penchant evaluate`, and the newer third is ranked for, by the
same replay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from penchant.config import Config
from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation import metrics
from penchant.evaluation.penchant import PenchantRecommender, Refresh, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream, first_events
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.tuning.space import ParameterGroup, Values, in_group, refresh_settings, with_values

FIT_FRACTION = 2 / 3
"""Share of the training part to train on; the rest is ranked for."""

Vectors = Callable[[Values], Matrix]
"""Text vectors of the items, shape (items, d), by an encoder fine-tuned with these values."""


@dataclass(frozen=True, slots=True)
class RankingMetric:
    """A metric to maximise: `ndcg@10`, `recall@50`, `mrr`."""

    name: str

    def __post_init__(self) -> None:
        kind, at, k = self.name.partition("@")
        if not (self.name == "mrr" or (kind in ("ndcg", "recall") and at and _counts(k))):
            raise ConfigError(f"--metric: got {self.name!r}, expected ndcg@K, recall@K or mrr")

    def of(self, rank: Float64) -> Float64:
        """The metric of each ranking from the item's rank, shape (n,).

        >>> import numpy as np
        >>> RankingMetric("recall@2").of(np.array([1.0, 3.0])).tolist()
        [1.0, 0.0]
        """
        kind, _, k = self.name.partition("@")
        if kind == "mrr":
            return metrics.reciprocal_rank(rank)
        return (metrics.ndcg if kind == "ndcg" else metrics.recall)(rank, int(k))


def _counts(text: str) -> bool:
    return text.isdecimal() and int(text) > 0


def training_part(stream: Stream, train_fraction: float) -> Stream:
    """The events that `penchant evaluate` may train on, and none after them.

    Raises:
        ConfigError: the fraction is out of range.
    """
    if not 0 < train_fraction <= 1:
        raise ConfigError(f"--train-fraction: got {train_fraction}, expected above 0 to 1")
    return first_events(stream, int(train_fraction * len(stream.events)))


class SearchObjective:
    """Replays the training part again and again, each time with other values."""

    def __init__(
        self,
        part: Stream,
        replay_config: ReplayConfig,
        config: Config,
        vectors: Vectors,
        metric: RankingMetric,
        refresh: bool,
    ) -> None:
        """Chooses the targets once, so that all values are judged by the same rankings.

        Args:
            part: training part of the log; see `training_part`.
            replay_config: how the part is replayed; its train_fraction is a share of the part.
            config: settings that are not searched.
            vectors: text vectors of the part's items.
            metric: the metric to maximise.
            refresh: whether the middle clock runs.

        Raises:
            ConfigError: no event can be ranked for.
        """
        self._part, self._replay_config, self._config = part, replay_config, config
        self._vectors, self._metric, self._refresh = vectors, metric, refresh
        self._targets = choose_targets(part, replay_config)
        self._last_refreshes = _LastRefreshes()

    @property
    def rankings(self) -> int:
        """Number of rankings in each trial."""
        return len(self._targets.positions)

    @property
    def users(self) -> Int64:
        """User of each ranking, shape (rankings,)."""
        return self._part.user[self._targets.positions]

    def __call__(self, values: Values) -> float:
        """The mean metric with these values."""
        return float(self.of_each(values).mean())

    def of_each(self, values: Values) -> Float64:
        """The metric of each ranking with these values, shape (rankings,).

        Cost: one replay of the part; less if only settings of the fold have changed.
        """
        vectors = self._vectors(values)
        settings = refresh_settings(values)
        finetuned = tuple(in_group(values, ParameterGroup.FINETUNE).items())
        clock = self._last_refreshes.clock(settings, finetuned) if self._refresh else None
        recommender = PenchantRecommender(with_values(self._config, values), vectors, clock)
        with threadpool_limits(1):  # As `penchant evaluate` does.
            result = replay(self._part, recommender, self._targets, self._replay_config)
        return self._metric.of(result.rank)


class _LastRefreshes:
    """The refreshes of the last trial, reused by the next one if its settings are equal."""

    def __init__(self) -> None:
        self._key: object = None
        self._made: dict[int, RefreshedCatalog] = {}

    def clock(self, settings: RefreshSettings, finetuned: tuple[tuple[str, float], ...]) -> Refresh:
        if self._key != (settings, finetuned):
            self._key, self._made = (settings, finetuned), {}
        made, refresh = self._made, middle_clock(settings)

        def run(stream: Stream, until: int, text_vectors: Matrix) -> RefreshedCatalog:
            if until not in made:
                made[until] = refresh(stream, until, text_vectors)
            return made[until]

        return run
