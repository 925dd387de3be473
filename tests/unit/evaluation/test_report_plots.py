"""Refits are marks that can be seen in the plot over time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from penchant.evaluation import plots
from penchant.evaluation.replay import ReplayResult
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.report import chart
from tests.unit.evaluation.streams import random_stream


def test_each_refit_and_each_fine_tuning_has_a_mark_and_a_word_in_the_legend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stream = random_stream(1, 60)
    targets = choose_targets(stream, ReplayConfig(candidates="all"))
    count = len(targets.positions)
    result = ReplayResult(
        "Penchant",
        rank=np.ones(count),
        top=np.zeros((count, 1), np.int32),
        rank_s=np.zeros(count),
        learn_s=np.zeros(count),
        fit_s=[(18, 0.1), (30, 0.1), (40, 0.1), (50, 0.1)],
        finetuned_at=[40],
    )
    figures: list[Figure] = []

    def keep(figure: Figure) -> bytes:
        figures.append(figure)
        return b""

    monkeypatch.setattr(chart, "png", keep)
    plots.over_time(stream, targets, [result], 10)
    (axes,) = figures[0].axes
    marks = {line.get_label(): line for line in axes.lines if line.get_marker() != "None"}
    days = [float(stream.at_us[position]) / 86_400e6 for position in (30, 50)]
    assert marks["fitted again"].get_xdata() == pytest.approx(days)
    assert np.size(marks["fine-tuned, and fitted again"].get_xdata()) == 1
    for mark in marks.values():
        assert mark.get_color() == chart.INK
        assert mark.get_markersize() >= 6
    legend = axes.get_legend()
    assert legend is not None
    words = {text.get_text() for text in legend.get_texts()}
    assert {"fitted again", "fine-tuned, and fitted again"} <= words
