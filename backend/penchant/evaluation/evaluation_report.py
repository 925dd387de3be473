"""An evaluation as numbers for JSON and as a page of HTML."""

from __future__ import annotations

import dataclasses

from penchant.evaluation import plots
from penchant.evaluation.evaluation_origin import EvaluationOrigin
from penchant.evaluation.recommender_comparison import Evaluation
from penchant.evaluation.result_tables import tables
from penchant.report.page import page


def facts(evaluation: Evaluation) -> dict[str, object]:
    """The size of the log and the protocol, by name."""
    stream, replay_config = evaluation.stream, evaluation.replay_config
    return {
        "items": len(stream.items),
        "users": len(stream.users),
        "events": len(stream.events),
        "training_events": replay_config.start(stream),
        **dataclasses.asdict(replay_config),
        "rankings": len(evaluation.targets.positions),
        "relevant_but_seen": evaluation.targets.seen,
        "seed": evaluation.seed,
    }


def sentences(evaluation: Evaluation, seconds: float) -> list[str]:
    """The size of the log and the protocol in words.

    Args:
        evaluation: the results.
        seconds: duration of the evaluation.
    """
    stream, plan, targets = evaluation.stream, evaluation.replay_config, evaluation.targets
    every = "each hit" if plan.every == 1 else f"one in {plan.every} hits"
    choice = "items that the user has no event about yet"
    refits = len(plan.refits(stream))
    again = "once"
    if refits:
        grown = f"every {plan.refresh_every:,} events" if plan.refresh_every else "as the log grew"
        again = f"and again {grown}, {refits:,} times"
    return [
        f"The log holds {len(stream.items):,} items and {len(stream.events):,} events of "
        f"{len(stream.users):,} users. The oldest {plan.start(stream):,} events "
        f"({plan.train_fraction:.0%}) only train.",
        f"Before {every} after those, {choice if targets.candidates == 'unseen' else 'all items'} "
        f"were ranked: {len(targets.positions):,} rankings. {targets.seen:,} hits were left out, "
        "because their item was no candidate.",
        f"Recommenders were fitted before the first ranking, {again}.",
        f"The confidence intervals are drawn with seed {evaluation.seed}. It took {seconds:.0f} s.",
    ]


def numbers(evaluation: Evaluation, origin: EvaluationOrigin, seconds: float) -> dict[str, object]:
    """All figures as plain data."""
    return {
        "origin": dataclasses.asdict(origin),
        "facts": {**facts(evaluation), "relevant": origin.hits, "seconds": round(seconds, 1)},
        "notes": list(evaluation.notes),
        "contenders": [dataclasses.asdict(summary) for summary in evaluation.summaries],
    }


def report(evaluation: Evaluation, origin: EvaluationOrigin, seconds: float) -> str:
    """All figures as a page of HTML with plots, and what made them."""
    k, seed = evaluation.ks[0], evaluation.seed
    stream, targets, results = evaluation.stream, evaluation.targets, evaluation.results
    curve = f"Learning curve: recall@{k} by events that the user had before (bands: 95 %)"
    pictures = {
        curve: plots.learning_curve(stream, targets, results, k, seed),
        f"recall@{k} over the stream's time": plots.over_time(stream, targets, results, k),
        "How the interest of the busiest users drifts": plots.drift(evaluation.drifts),
    }
    alarm = [evaluation.alarm] if evaluation.alarm else []
    log = [note for note in evaluation.notes if not (alarm and alarm[0] in note)]
    texts = [*alarm, *origin.sentences(), *sentences(evaluation, seconds), *log, *alarm]
    return page("Penchant: evaluation", texts, tables(evaluation.summaries), pictures)
