"""An evaluation: every recommender replays the log once and ranks for the same targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from penchant.domain.errors import ConfigError
from penchant.evaluation import plots
from penchant.evaluation.attribute_calibration import attribute_shares
from penchant.evaluation.interest_drift import Drift, InterestWatch, busiest
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import ReplayResult, replay
from penchant.evaluation.result_cache import ResultCache
from penchant.evaluation.result_tables import tables
from penchant.evaluation.summary import Summary, summarise
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.stream import Stream
from penchant.report.page import page


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation found."""

    stream: Stream
    plan: ReplayConfig
    targets: EvaluationTargets
    ks: tuple[int, ...]
    seed: int
    results: list[ReplayResult]
    """Of each recommender, in the order given."""
    summaries: list[Summary]
    """Of each recommender, in the same order."""
    drifts: list[Drift]
    """Of the busiest users, as the first recommender saw them."""


def evaluate(
    stream: Stream,
    plan: ReplayConfig,
    ours: PenchantRecommender,
    peers: Sequence[Recommender],
    ks: Sequence[int],
    seed: int,
    attribute: str = "",
    on_event: Callable[[str, int], None] = lambda name, position: None,
    kept: ResultCache | None = None,
) -> Result:
    """Replays the stream once for each recommender.

    Args:
        stream: the events.
        plan: which of them are ranked for, and when recommenders fit again.
        ours: Penchant; first in all that is reported.
        peers: the others, with names of their own.
        ks: cut-offs of recall and NDCG, each 1 or more.
        seed: of the confidence intervals.
        attribute: of the items, for the calibration; empty: none.
        on_event: told a recommender's name and the position that is done.
        kept: peers that are done in there are not replayed, the others are put there.

    Raises:
        ConfigError: there is nothing to rank for, a cut-off is below 1, or no item has the
            attribute.
    """
    if not ks or min(ks) < 1:
        raise ConfigError(f"k: got {list(ks)}, expected one or more numbers from 1")
    if attribute:
        attribute_shares(stream.items, attribute)  # For its error, before the work.
    targets = choose_targets(stream, plan)
    watch = InterestWatch(ours, busiest(stream, targets))
    results = []
    recommenders: list[Recommender] = [watch, *peers]
    for recommender in recommenders:
        known = None if kept is None or recommender is watch else kept.read(recommender.name)
        if known is not None:
            results.append(known)
            continue
        name = recommender.name

        def done(position: int, name: str = name) -> None:
            on_event(name, position)

        # As in a server, where one BLAS thread serves many small requests best.
        with threadpool_limits(1 if recommender is watch else None):
            results.append(replay(stream, recommender, targets, plan, done))
        if kept is not None and recommender is not watch:
            kept.write(results[-1])
    results[0].finetuned_at = ours.finetuned_at
    summaries = summarise(stream, targets, results, ks, seed, attribute)
    drifts = watch.drifts(stream)
    return Result(stream, plan, targets, tuple(ks), seed, results, summaries, drifts)


def facts(result: Result) -> dict[str, object]:
    """What was evaluated, and how."""
    stream, plan = result.stream, result.plan
    return {
        "items": len(stream.items),
        "users": len(stream.users),
        "events": len(stream.events),
        "training_events": plan.start(stream),
        **dataclasses.asdict(plan),
        "rankings": len(result.targets.positions),
        "relevant_but_seen": result.targets.seen,
        "seed": result.seed,
    }


def numbers(result: Result, more: Mapping[str, object]) -> dict[str, object]:
    """All that is reported, as plain data; `more` joins the facts."""
    return {
        "facts": {**facts(result), **more},
        "contenders": [dataclasses.asdict(summary) for summary in result.summaries],
    }


def report(result: Result, more: Mapping[str, object]) -> str:
    """The same as a page of HTML with pictures; `more` joins the facts."""
    k, seed = result.ks[0], result.seed
    stream, targets, results = result.stream, result.targets, result.results
    curve = f"Learning curve: recall@{k} by events that the user had before (bands: 95 %)"
    pictures = {
        curve: plots.learning_curve(stream, targets, results, k, seed),
        f"recall@{k} over the stream's time": plots.over_time(stream, targets, results, k),
        "How the interest of the busiest users drifts": plots.drift(result.drifts),
    }
    texts = {name.replace("_", " "): str(fact) for name, fact in {**facts(result), **more}.items()}
    return page("Penchant: evaluation", texts, tables(result.summaries), pictures)
