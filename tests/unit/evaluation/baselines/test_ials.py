"""iALS: a folded-in user minimises the weighted error of the paper."""

from __future__ import annotations

import numpy as np

from penchant.evaluation.baselines.ials import Ials
from tests.unit.evaluation.baselines.planted import planted


def test_a_user_solves_the_equation_of_the_paper() -> None:
    stream = planted()
    baseline = Ials(seed=1, factors=4, regularization=0.2, alpha=2.0, decay=0.9)
    baseline.fit(stream, 100)
    for position in range(100, 300):
        baseline.learn(position)
    model = baseline._model
    Y = model.item_factors.astype(np.float64)
    items, weights = baseline._likes.decayed(4, 0.9)
    confidence = np.ones(len(Y))
    liked = np.zeros(len(Y))
    np.add.at(liked, items, 2.0 * weights)
    confidence[liked > 0] = liked[liked > 0]
    A = Y.T @ (confidence[:, None] * Y) + model.regularization * np.eye(4)
    expected = Y @ np.linalg.solve(A, Y.T @ liked)
    np.testing.assert_allclose(baseline.scores(4, 0), expected, rtol=1e-3, atol=1e-4)


def test_a_few_likes_are_not_regularised_away() -> None:
    stream = planted()
    baseline = Ials(seed=1)
    baseline.fit(stream, 150)
    assert np.abs(baseline._model.item_factors).max() > 1e-2
