"""MovieLens replayed with an updater: what choosing its settings and comparing it share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penchant.config import Config
from penchant.domain.settings import FoldSettings
from penchant.domain.signals.default import DEFAULT_SIGNALS
from penchant.domain.types import Matrix
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation import metrics
from penchant.evaluation.metrics import Estimate
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
    """What one pass over the stream gave in n rankings."""

    values: NDArray[np.float64]
    """Recall and NDCG at ten of each, shape (n, 2)."""
    user: NDArray[np.int64]
    """Whose each was, shape (n,)."""

    @property
    def recall(self) -> float:
        """The mean recall at ten."""
        return float(self.values[:, 0].mean())

    @property
    def ndcg(self) -> float:
        """The mean NDCG at ten."""
        return float(self.values[:, 1].mean())

    def intervals(self, base: RunQuality | None = None) -> list[Estimate]:
        """Recall and NDCG, or how much they are above another pass's, with 95 % by user."""
        values = self.values if base is None else self.values - base.values
        return metrics.estimates(values, self.user, SEED)


def read_stream(events: int) -> Stream:
    """The first ratings of MovieLens-100K; a hit is a rating of 4 or 5."""
    log = read_movielens()
    relevance = parse_relevance(GOOD_RATING)
    return make_stream(log.films, log.ratings[:events], DEFAULT_SIGNALS, relevance, LeftOut())


def vectors_by(encoder: Path, stream: Stream, dimensions: Sequence[int]) -> dict[int, Matrix]:
    """The films' text vectors, cut to each length and brought to norm 1."""
    whole = OnnxEncoder.load(encoder, threads=1).encode([item.text for item in stream.items])
    cut = {d: whole[:, :d] for d in dimensions}
    return {d: part / np.linalg.norm(part, axis=1, keepdims=True) for d, part in cut.items()}


def remembered() -> Refresh:
    """The middle clock, run once for each moment and length: no updater's settings change it."""
    run = middle_clock(RefreshSettings(text_weight=2.0))
    known: dict[tuple[int, int], RefreshedCatalog] = {}

    def refresh(stream: Stream, until: int, text_vectors: Matrix) -> RefreshedCatalog:
        key = until, text_vectors.shape[1]
        if key not in known:
            known[key] = run(stream, until, text_vectors)
        return known[key]

    return refresh


def measure(
    stream: Stream, vectors: Matrix, plan: ReplayConfig, settings: Settings, refresh: Refresh | None
) -> RunQuality:
    """One pass over the stream by the evaluation's replay, with these settings of the fold."""
    config = Config("memory:", Path(), fold=FoldSettings(near_weight=0.0, **settings))  # type: ignore[arg-type]
    recommender = PenchantRecommender(config, vectors, refresh)
    targets = choose_targets(stream, plan)
    rank = replay(stream, recommender, targets, plan).rank
    values = np.stack([metrics.recall(rank, K), metrics.ndcg(rank, K)], axis=1)
    return RunQuality(values, stream.user[targets.positions])
