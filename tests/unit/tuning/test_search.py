"""The search reads the training part alone, resumes after a kill, and refuses another task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender_comparison import compare_recommenders
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream
from penchant.tuning.objective import FIT_FRACTION, RankingMetric, SearchObjective, training_part
from penchant.tuning.space import SPACE, ParameterGroup, choose, refresh_settings, with_values
from penchant.tuning.study import CompletedTrial, open_study
from tests.unit.evaluation.streams import random_stream, with_other_item

CONFIG = Config("memory:", Path("none"))
REPLAY_CONFIG = ReplayConfig(FIT_FRACTION, refresh_every=30, candidates="all")
FOLD = choose(["ridge", "fast_weight"], [ParameterGroup.SERVER])
TASK = {"log": "a", "encoder": "b"}


def vectors(items: int) -> Matrix:
    drawn = np.random.default_rng(3).normal(size=(items, 8)).astype(np.float32)
    unit: Matrix = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def objective(part: Stream, refresh: bool = False) -> SearchObjective:
    known = vectors(len(part.items))
    return SearchObjective(
        part, REPLAY_CONFIG, CONFIG, lambda values: known, RankingMetric("ndcg@10"), refresh
    )


def searched(score: SearchObjective, trials: int, file: Path | None = None) -> list[CompletedTrial]:
    with open_study(file, TASK, FOLD, seed=4) as study:
        study.search(score, trials, limit_s=1e9)
        return study.done()


def test_events_after_the_training_part_change_nothing() -> None:
    stream = random_stream(1, events=400)
    changed = stream
    for position in range(120, 400):
        changed = with_other_item(changed, position, 39 - int(stream.item[position]))
    one, other = training_part(stream, 0.3), training_part(changed, 0.3)
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(stream) != fingerprint(changed)
    assert searched(objective(one), 12) == searched(objective(other), 12)


def test_a_killed_search_resumes_with_the_same_trials(tmp_path: Path) -> None:
    file, score = tmp_path / "tune.db", objective(training_part(random_stream(2, 300), 0.3))
    calls = 0

    def killed(values: Mapping[str, float]) -> float:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return score(values)

    with pytest.raises(KeyboardInterrupt), open_study(file, TASK, FOLD, seed=4) as study:
        study.search(killed, 14, limit_s=1e9)
    with open_study(file, TASK, FOLD, seed=4) as study:
        assert len(study.done()) == 11
    assert searched(score, 14, file) == searched(score, 14)


def test_another_task_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tune.db"
    with open_study(file, TASK, FOLD, seed=4):
        pass
    other = {**TASK, "log": "changed"}
    with pytest.raises(ConfigError, match="another log;"), open_study(file, other, FOLD, seed=4):
        pass


@pytest.mark.parametrize("refresh", [False, True])
def test_the_value_of_a_trial_equals_that_of_an_evaluation_of_the_same_part(refresh: bool) -> None:
    part = training_part(random_stream(5, 400), 0.3)
    score = objective(part, refresh)
    for values in ({"ridge": 3.0, "text_weight": 0.4}, {"ridge": 30.0, "text_weight": 0.4}):
        clock = middle_clock(refresh_settings(values)) if refresh else None
        penchant = PenchantRecommender(with_values(CONFIG, values), vectors(len(part.items)), clock)
        (found,) = compare_recommenders(part, REPLAY_CONFIG, penchant, [], [10], seed=1).summaries
        assert score(values) == pytest.approx(found.overall.quality["NDCG@10"].mean, rel=1e-12)


def test_each_range_holds_its_default() -> None:
    for parameter in SPACE:
        assert 0 < parameter.low <= parameter.default <= parameter.high
        assert parameter.readable(parameter.default) == parameter.default


def test_a_parameter_that_is_fixed_or_not_in_use_is_refused() -> None:
    with pytest.raises(ConfigError, match="--set fixes it"):
        choose(["ridge"], [ParameterGroup.SERVER], ["ridge"])
    with pytest.raises(ConfigError, match="it needs --refresh"):
        choose(["window"], [ParameterGroup.SERVER])
