"""Recommenders compared: each replays the same stream once and ranks for the same targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from penchant.domain.errors import ConfigError
from penchant.evaluation.attribute_calibration import attribute_shares
from penchant.evaluation.interest_drift import Drift, InterestWatch, busiest
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import ReplayResult, replay
from penchant.evaluation.result_cache import ResultCache
from penchant.evaluation.shared_replay import replay_in_parts
from penchant.evaluation.summary import Summary, summarise
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.stream import Stream
from penchant.system.progress import Progress, no_progress
from penchant.system.workers import ALONE, Workers


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of an evaluation."""

    stream: Stream
    replay_config: ReplayConfig
    targets: EvaluationTargets
    ks: tuple[int, ...]
    """Cut-offs of recall and NDCG."""
    seed: int
    results: list[ReplayResult]
    """One per recommender, Penchant first, then the baselines in the order given."""
    summaries: list[Summary]
    """One per recommender, in the same order."""
    drifts: list[Drift]
    """Drift of the busiest users' interest in Penchant."""
    notes: tuple[str, ...] = ()
    """What was assumed of the log, left out of it and odd in it, a sentence or two each."""
    alarm: str = ""
    """Says that much of the log is left out; empty: little is."""


def compare_recommenders(
    stream: Stream,
    replay_config: ReplayConfig,
    penchant: PenchantRecommender,
    baselines: Sequence[Recommender],
    ks: Sequence[int],
    seed: int,
    attribute: str = "",
    progress: Progress = no_progress,
    cache: ResultCache | None = None,
    workers: Workers = ALONE,
) -> Evaluation:
    """Replays the stream once for each recommender.

    Args:
        stream: the events.
        replay_config: which events are ranked for, and when recommenders fit again.
        penchant: listed first in all tables.
        baselines: recommenders with distinct names.
        ks: cut-offs of recall and NDCG, each 1 or more.
        seed: seed of the confidence intervals.
        attribute: attribute of items to measure calibration by; empty: none.
        progress: called with a recommender's name and the share of the replay that is done, and
            for Penchant with its fits, which take most of the time.
        cache: results of baselines; those it holds are not replayed, new ones are added.
        workers: who replays for Penchant; baselines are replayed here.

    Raises:
        ConfigError: no event can be ranked for, a cut-off is below 1, or no item has the
            attribute.
    """
    if not ks or min(ks) < 1:
        raise ConfigError(f"k: got {list(ks)}, expected one or more numbers from 1")
    if attribute:
        attribute_shares(stream.items, attribute)  # Raises its error before the long work.
    targets = choose_targets(stream, replay_config)
    watch = InterestWatch(penchant, busiest(stream, targets))
    start = replay_config.start(stream)
    count = len(stream.events) - start
    fits = 1 + len(replay_config.refits(stream))
    results = []
    recommenders: list[Recommender] = [watch, *baselines]
    for recommender in recommenders:
        name, cacheable = recommender.name, cache is not None and recommender is not watch
        cached = cache.read(name) if cache is not None and cacheable else None
        if cached is not None:
            results.append(cached)
            continue

        def on_event(position: int, name: str = name) -> None:
            progress(name, (position + 1 - start) / count)

        def on_fit(done: int, name: str = name, shown: bool = recommender is watch) -> None:
            if shown:
                progress(f"{name}: fitting {fits} times", done / fits)

        if recommender is watch and not workers.alone:
            results.append(
                replay_in_parts(watch, stream, targets, replay_config, workers, progress)
            )
            continue
        # One BLAS thread for Penchant, as in a server: it serves many small requests best.
        with threadpool_limits(1 if recommender is watch else None):
            results.append(replay(stream, recommender, targets, replay_config, on_event, on_fit))
        if cache is not None and cacheable:
            cache.write(results[-1])
    results[0].finetuned_at = penchant.finetuned_at
    summaries = summarise(stream, targets, results, ks, seed, attribute)
    drifts = watch.drifts(stream)
    return Evaluation(stream, replay_config, targets, tuple(ks), seed, results, summaries, drifts)
