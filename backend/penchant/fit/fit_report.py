"""The report of a fit as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penchant.evaluation import plots
from penchant.evaluation.result_tables import tables
from penchant.fit.measured import MeasuredFit
from penchant.refresh.learnt_weights import LearntWeights
from penchant.report import chart
from penchant.report.page import page
from penchant.report.text_table import TextTable


def fit_report(sentences: Sequence[str], measured: MeasuredFit | None) -> str:
    """What was found, chosen and measured.

    Args:
        sentences: all that the fit has said, in order.
        measured: the figures; None if there were too few hits.

    Raises:
        ConfigError: matplotlib is missing.
    """
    if measured is None:
        return page("Penchant: fit", sentences, [], {})
    evaluation, learnt = measured.evaluation, measured.learnt
    k, results = evaluation.ks[0], evaluation.results
    of_log = (evaluation.stream, evaluation.targets, results, k)
    pictures = {
        f"recall@{k} by events that the user had before (bands: 95 %)": plots.learning_curve(
            *of_log, evaluation.seed
        ),
        f"recall@{k} over the time of the newest part": plots.over_time(*of_log),
    }
    found = tables(evaluation.summaries)[:-1]  # Without the times, so that equal fits are equal.
    if learnt.without:
        pictures = {
            "What each part of the score adds on this log": _parts_chart(learnt),
            **pictures,
        }
        found.insert(0, _parts_table(learnt))
    return page("Penchant: fit", sentences, found, pictures)


def _gains(learnt: LearntWeights) -> list[tuple[str, float]]:
    """What each part adds to NDCG@10, most first."""
    gains = [(name, learnt.ndcg - without) for name, without in learnt.without.items()]
    if learnt.repeats is not None:
        gains.append(("repeats", learnt.repeats[1] - learnt.repeats[0]))
    return sorted(gains, key=lambda pair: -pair[1])


def _parts_table(learnt: LearntWeights) -> TextTable:
    rows = [[name, f"{round(gain, 4) + 0.0:+.4f}"] for name, gain in _gains(learnt)]
    title = (
        "What NDCG@10 loses without each part, as learnt in the measurement, before the newest "
        f"part ended ({learnt.rankings:,} held-out likes); the release learns from the whole log"
    )
    return TextTable(title, ["part", "adds"], rows)


def _parts_chart(learnt: LearntWeights) -> bytes:
    gains = _gains(learnt)
    figure = chart.new_figure((9.0, 3.2))
    axes = figure.subplots()
    places = np.arange(len(gains))
    axes.bar(places, [gain for _, gain in gains], color=chart.colours(1)[0], width=0.6)
    axes.set_xticks(places, [name for name, _ in gains])
    chart.plain(axes, "added NDCG@10")
    return chart.png(figure)
