"""A whole evaluation: the same cases for all contenders, one pass each, and what comes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from penchant.domain.errors import ConfigError
from penchant.evaluation import plots
from penchant.evaluation.attribute_calibration import attribute_shares
from penchant.evaluation.html_report import page
from penchant.evaluation.interest_drift import Drift, InterestWatch, busiest
from penchant.evaluation.penchant import PenchantContender
from penchant.evaluation.recommender import Contender
from penchant.evaluation.replay import Trials, replay
from penchant.evaluation.result_cache import KeptTrials
from penchant.evaluation.result_tables import tables
from penchant.evaluation.summary import Summary, summarise
from penchant.evaluation.targets import Cases, Plan, choose_cases
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation found."""

    stream: Stream
    plan: Plan
    cases: Cases
    ks: tuple[int, ...]
    seed: int
    trials: list[Trials]
    """Of each contender, in the order given."""
    summaries: list[Summary]
    """Of each contender, in the same order."""
    drifts: list[Drift]
    """Of the busiest users, as the first contender saw them."""


def evaluate(
    stream: Stream,
    plan: Plan,
    ours: PenchantContender,
    peers: Sequence[Contender],
    ks: Sequence[int],
    seed: int,
    attribute: str = "",
    on_event: Callable[[str, int], None] = lambda name, position: None,
    kept: KeptTrials | None = None,
) -> Result:
    """Replays the stream once for each contender.

    Args:
        stream: the events.
        plan: which of them are ranked for, and when contenders fit again.
        ours: Penchant; first in all that is reported.
        peers: the others, with names of their own.
        ks: cut-offs of recall and NDCG, each 1 or more.
        seed: of the confidence intervals.
        attribute: of the items, for the calibration; empty: none.
        on_event: told a contender's name and the position that is done.
        kept: peers that are done in there are not replayed, the others are put there.

    Raises:
        ConfigError: there is nothing to rank for, a cut-off is below 1, or no item has the
            attribute.
    """
    if not ks or min(ks) < 1:
        raise ConfigError(f"k: got {list(ks)}, expected one or more numbers from 1")
    if attribute:
        attribute_shares(stream.items, attribute)  # For its error, before the work.
    cases = choose_cases(stream, plan)
    watch = InterestWatch(ours, busiest(stream, cases))
    trials = []
    contenders: list[Contender] = [watch, *peers]
    for contender in contenders:
        known = None if kept is None or contender is watch else kept.read(contender.name)
        if known is not None:
            trials.append(known)
            continue
        name = contender.name

        def done(position: int, name: str = name) -> None:
            on_event(name, position)

        # As in a server, where one BLAS thread serves many small requests best.
        with threadpool_limits(1 if contender is watch else None):
            trials.append(replay(stream, contender, cases, plan, done))
        if kept is not None and contender is not watch:
            kept.write(trials[-1])
    trials[0].finetuned_at = ours.finetuned_at
    summaries = summarise(stream, cases, trials, ks, seed, attribute)
    drifts = watch.drifts(stream)
    return Result(stream, plan, cases, tuple(ks), seed, trials, summaries, drifts)


def facts(result: Result) -> dict[str, object]:
    """What was evaluated, and how."""
    stream, plan = result.stream, result.plan
    return {
        "items": len(stream.items),
        "users": len(stream.users),
        "events": len(stream.events),
        "training_events": plan.start(stream),
        **dataclasses.asdict(plan),
        "rankings": len(result.cases.positions),
        "relevant_but_seen": result.cases.seen,
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
    stream, cases, trials = result.stream, result.cases, result.trials
    curve = f"Learning curve: recall@{k} by events that the user had before (bands: 95 %)"
    pictures = {
        curve: plots.learning_curve(stream, cases, trials, k, seed),
        f"recall@{k} over the stream's time": plots.over_time(stream, cases, trials, k),
        "How the interest of the busiest users drifts": plots.drift(result.drifts),
    }
    texts = {name.replace("_", " "): str(fact) for name, fact in {**facts(result), **more}.items()}
    return page("Penchant: evaluation", texts, tables(result.summaries), pictures)
