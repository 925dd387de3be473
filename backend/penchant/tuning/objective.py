"""What a search makes better: a ranking's quality on the training part of a log.

The part is all there is: it is cut off before anything is done, so that what comes later can't be
read. Within it the older two thirds are what `penchant evaluate` trains on, and the newer third is
ranked for, by the same replay.
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
from penchant.tuning.space import Part, Values, of_part, refresh_settings, with_values

FIT_FRACTION = 2 / 3
"""The share of the training part that is fitted on; the rest chooses."""

Vectors = Callable[[Values], Matrix]
"""The items' text vectors by an encoder that was fine-tuned with these values, shape (items, d)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number to make larger: `ndcg@10`, `recall@50`, `mrr`."""

    name: str

    def __post_init__(self) -> None:
        kind, at, k = self.name.partition("@")
        if not (self.name == "mrr" or (kind in ("ndcg", "recall") and at and _counts(k))):
            raise ConfigError(f"--metric: got {self.name!r}, expected ndcg@K, recall@K or mrr")

    def of(self, rank: Float64) -> Float64:
        """Of each ranking, shape (n,).

        >>> import numpy as np
        >>> Metric("recall@2").of(np.array([1.0, 3.0])).tolist()
        [1.0, 0.0]
        """
        kind, _, k = self.name.partition("@")
        if kind == "mrr":
            return metrics.reciprocal_rank(rank)
        return (metrics.ndcg if kind == "ndcg" else metrics.recall)(rank, int(k))


def _counts(text: str) -> bool:
    return text.isdecimal() and int(text) > 0


def training_part(stream: Stream, train_fraction: float) -> Stream:
    """The events that `penchant evaluate` may train on; nothing after them."""
    if not 0 < train_fraction <= 1:
        raise ConfigError(f"--train-fraction: got {train_fraction}, expected above 0 to 1")
    return first_events(stream, int(train_fraction * len(stream.events)))


class Objective:
    """Replays one part of a log again and again, each time with other values."""

    def __init__(
        self,
        part: Stream,
        plan: ReplayConfig,
        config: Config,
        vectors: Vectors,
        metric: Metric,
        refresh: bool,
    ) -> None:
        """Chooses the rankings once, so that all values meet the same ones.

        Args:
            part: of the log; see `training_part`.
            plan: how it is replayed, its train_fraction that of the part.
            config: settings that are not searched.
            vectors: of the part's items.
            metric: what is made larger.
            refresh: whether the middle clock runs.

        Raises:
            ConfigError: there is nothing to rank for.
        """
        self._part, self._plan, self._config = part, plan, config
        self._vectors, self._metric, self._runs = vectors, metric, refresh
        self._targets = choose_targets(part, plan)
        self._refreshed = _LastRefreshes()

    @property
    def rankings(self) -> int:
        """How many there are in each trial."""
        return len(self._targets.positions)

    @property
    def users(self) -> Int64:
        """Whose ranking each is, shape (rankings,)."""
        return self._part.user[self._targets.positions]

    def __call__(self, values: Values) -> float:
        """The metric's mean with these values."""
        return float(self.of_each(values).mean())

    def of_each(self, values: Values) -> Float64:
        """The metric of each ranking, shape (rankings,).

        Cost: one replay of the part; less where only settings of the fold are new.
        """
        vectors = self._vectors(values)
        settings = refresh_settings(values)
        finetuned = tuple(of_part(values, Part.FINETUNE).items())
        clock = self._refreshed.clock(settings, finetuned) if self._runs else None
        recommender = PenchantRecommender(with_values(self._config, values), vectors, clock)
        with threadpool_limits(1):  # As `penchant evaluate` does.
            trials = replay(self._part, recommender, self._targets, self._plan)
        return self._metric.of(trials.rank)


class _LastRefreshes:
    """The refreshes of the last trial: the next one makes the same where its settings are equal."""

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
