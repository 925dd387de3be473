"""Vowpal Wabbit: a ranking has the costs that VW predicts for each item alone."""

from __future__ import annotations

import numpy as np

from penchant.evaluation.baselines.vowpal_wabbit import VowpalWabbit
from tests.unit.evaluation.baselines.planted import ITEMS, planted


def test_scores_are_the_negated_costs_of_each_item_alone() -> None:
    stream = planted()
    baseline = VowpalWabbit(seed=1)
    baseline.fit(stream, 500)
    scores = baseline.scores(3, 0)
    history = baseline._history(3)
    alone = [baseline._workspace.predict([history, f"|i {item}"])[0] for item in range(ITEMS)]
    np.testing.assert_allclose(scores, -np.array(alone), atol=1e-6)


def test_a_history_holds_the_latest_likes_with_decaying_weights() -> None:
    stream = planted()
    baseline = VowpalWabbit(seed=1, recent=3, decay=0.5)
    baseline.fit(stream, 2000)
    liked = baseline._likes.by_user[5][-3:]
    assert baseline._history(5) == f"shared |h {liked[0]}:0.25 {liked[1]}:0.5 {liked[2]}:1"
