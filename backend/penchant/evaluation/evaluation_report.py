"""An evaluation as numbers for JSON and as a page of HTML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from penchant.evaluation import plots
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


def numbers(evaluation: Evaluation, more: Mapping[str, object]) -> dict[str, object]:
    """All figures as plain data; `more` is added to the facts."""
    return {
        "facts": {**facts(evaluation), **more},
        "contenders": [dataclasses.asdict(summary) for summary in evaluation.summaries],
    }


def report(evaluation: Evaluation, more: Mapping[str, object]) -> str:
    """All figures as a page of HTML with plots; `more` is added to the facts."""
    k, seed = evaluation.ks[0], evaluation.seed
    stream, targets, results = evaluation.stream, evaluation.targets, evaluation.results
    curve = f"Learning curve: recall@{k} by events that the user had before (bands: 95 %)"
    pictures = {
        curve: plots.learning_curve(stream, targets, results, k, seed),
        f"recall@{k} over the stream's time": plots.over_time(stream, targets, results, k),
        "How the interest of the busiest users drifts": plots.drift(evaluation.drifts),
    }
    texts = {
        name.replace("_", " "): str(fact) for name, fact in {**facts(evaluation), **more}.items()
    }
    return page("Penchant: evaluation", texts, tables(evaluation.summaries), pictures)
