"""MovieLens replayed with one updater, for the choice of its settings and for the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.arrays import Float64, Int64
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Matrix
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation import metrics
from penchant.evaluation.metrics import MeanInterval
from penchant.evaluation.penchant import PenchantRecommender, Refresh, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.log_source import GOOD_RATING
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.refresh_settings import RefreshSettings

K = 10
SEED = 1
REFRESH_EVERY = 5000

Settings = Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class RunQuality:
    """Recall and NDCG of one replay with n rankings."""

    values: Float64
    """recall@10 and NDCG@10 of each ranking, shape (n, 2)."""
    user: Int64
    """User of each ranking, shape (n,)."""

    @property
    def recall(self) -> float:
        """Mean recall@10."""
        return float(self.values[:, 0].mean())

    @property
    def ndcg(self) -> float:
        """Mean NDCG@10."""
        return float(self.values[:, 1].mean())

    def intervals(self, base: RunQuality | None = None) -> list[MeanInterval]:
        """Recall and NDCG, or their gain over another replay, with 95 % intervals by user."""
        values = self.values if base is None else self.values - base.values
        return metrics.estimates(values, self.user, SEED)


def read_stream(events: int) -> Stream:
    """The first ratings of MovieLens-100K; a hit is a rating of 4 or 5."""
    log = read_movielens()
    relevance = parse_relevance(GOOD_RATING)
    return make_stream(log.films, log.ratings[:events], DEFAULT_SIGNALS, relevance, LeftOut())


def vectors_by(encoder: Path, stream: Stream, dimensions: Sequence[int]) -> dict[int, Matrix]:
    """Text vectors of the films, truncated to each length and normalised."""
    whole = OnnxEncoder.load(encoder, threads=1).encode([item.text for item in stream.items])
    cut = {d: whole[:, :d] for d in dimensions}
    return {d: part / np.linalg.norm(part, axis=1, keepdims=True) for d, part in cut.items()}


def cached_middle_clock() -> Refresh:
    """A middle clock that runs once per position and length, for all settings of all updaters."""
    run = middle_clock(RefreshSettings(text_weight=2.0))
    cache: dict[tuple[int, int], RefreshedCatalog] = {}

    def refresh(stream: Stream, until: int, text_vectors: Matrix) -> RefreshedCatalog:
        key = until, text_vectors.shape[1]
        if key not in cache:
            cache[key] = run(stream, until, text_vectors)
        return cache[key]

    return refresh


def measure(
    stream: Stream,
    vectors: Matrix,
    replay_config: ReplayConfig,
    settings: Settings,
    refresh: Refresh | None,
) -> RunQuality:
    """Replays the stream once with these settings of the fold."""
    config = Config("memory:", Path(), fold=FoldSettings(near_weight=0.0, **settings))  # type: ignore[arg-type]  # From a table.
    recommender = PenchantRecommender(config, vectors, refresh)
    targets = choose_targets(stream, replay_config)
    rank = replay(stream, recommender, targets, replay_config).rank
    values = np.stack([metrics.recall(rank, K), metrics.ndcg(rank, K)], axis=1)
    return RunQuality(values, stream.user[targets.positions])
