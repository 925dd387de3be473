"""Measures what was chosen on the newest part of the log, which no choice has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penchant.config import Config, with_score_weights
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation.baselines import make
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender_comparison import Evaluation, compare_recommenders
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.fit.trial import TRAINING, FitChoice
from penchant.logs.stream import Stream
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.learnt_weights import LearntWeights
from penchant.system.progress import Progress

PEERS = (
    "popularity",
    "decayed-popularity",
    "personal-frequency",
    "personal-frequency-decayed",
    "item-knn",
    "ease",
)
"""The recommenders that a fit compares with, all of which need seconds."""
DENSE = frozenset({"item-knn", "ease"})
"""Those that hold a number for each pair of items."""
MOST_DENSE_ITEMS = 6000

LEAST_HITS = 30
"""Rankings below which nothing is measured."""
MOST_HITS = 2000
"""Rankings, at most."""
REFITS = 2
"""Fits in the measured part, the first one included."""


@dataclass(frozen=True, slots=True)
class MeasuredFit:
    """The figures of the newest part."""

    evaluation: Evaluation
    learnt: LearntWeights
    """The weights that the last refresh in it learnt."""

    @property
    def metrics(self) -> dict[str, float]:
        """NDCG@10 and recall@10 of Penchant, by name."""
        quality = self.evaluation.summaries[0].overall.quality
        return {name: quality[name].mean for name in ("NDCG@10", "recall@10")}

    @property
    def sentence(self) -> str:
        """Penchant beside the best peer, in words."""
        ours, *peers = self.evaluation.summaries
        figure = ours.overall.quality["NDCG@10"].mean
        said = (
            f"On the newest {1 - TRAINING:.0%} of the log, which nothing was chosen by, NDCG@10 "
            f"is {figure:.3f} and recall@10 {ours.overall.quality['recall@10'].mean:.3f}"
        )
        if not peers:
            return f"{said}."
        best = max(peers, key=lambda one: one.overall.quality["NDCG@10"].mean)
        other = best.overall.quality["NDCG@10"].mean
        times = f", {figure / other:.2f} times that" if other else ""
        return f"{said}; the best peer, {best.name}, has {other:.3f}{times}."


def measure(
    stream: Stream,
    choice: FitChoice,
    vectors: Matrix,
    config: Config,
    candidates: str,
    peers: Sequence[str],
    seed: int,
    progress: Progress,
) -> MeasuredFit | None:
    """Replays the newest part of the log with a choice and with peers, fitted again on the way.

    Args:
        stream: the log.
        choice: what was chosen.
        vectors: the vectors that it names.
        config: the settings that were not searched.
        candidates: `unseen` or `all`.
        peers: names of baselines.
        seed: seed of the intervals.
        progress: called as the replays advance.

    Returns:
        The figures; None if the part has fewer than LEAST_HITS hits to rank for.
    """
    count = len(stream.events)
    again = -(-(count - int(TRAINING * count)) // REFITS)
    plan = ReplayConfig(TRAINING, 1, again, candidates)
    try:
        hits = len(choose_targets(stream, plan).positions)
    except ConfigError:
        return None  # No event can be ranked for.
    if hits < LEAST_HITS:
        return None
    plan = ReplayConfig(TRAINING, -(-hits // MOST_HITS), again, candidates)
    tried = with_score_weights(config, choice.weights_json)
    refresh, learnt = middle_clock(choice.refresh, tried), LearntWeights()

    def noted(stream: Stream, until: int, text_vectors: Matrix) -> RefreshedCatalog:
        nonlocal learnt
        progress("Learning weights to measure", 0.0)
        fresh = refresh(stream, until, text_vectors)
        learnt = fresh.learnt
        return fresh

    few = len(stream.items) <= MOST_DENSE_ITEMS
    baselines = [make(name, seed) for name in peers if few or name not in DENSE]
    penchant = PenchantRecommender(tried, vectors, noted)
    evaluation = compare_recommenders(
        stream, plan, penchant, baselines, (10, 50), seed, progress=progress
    )
    return MeasuredFit(evaluation, learnt)
