"""`tune` from Python: its result and its callbacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.evaluation.model_settings import ModelSettings
from penchant.evaluation.replay_log import ReplayLog
from penchant.logs.log_source import LogSource
from penchant.tuning.study import CompletedTrial
from penchant.tuning.tune import SearchStart, TuningRequest, tune
from tests.support.shop_log import write_shop


@pytest.fixture
def request_of_shop(tmp_path: Path) -> TuningRequest:
    """A search over one parameter of a small log."""
    write_shop(tmp_path)
    return TuningRequest(
        log=ReplayLog(LogSource(tmp_path / "items.csv", tmp_path / "events.csv")),
        model=ModelSettings(tmp_path / "encoder", ("fast_weight=2",)),
        train_fraction=0.9,
        candidates="all",
        parameters=("ridge",),
        trials=4,
        storage=tmp_path / "tune.db",
    )


def test_the_result_holds_all_trials_and_the_gain_of_the_best(
    request_of_shop: TuningRequest,
) -> None:
    starts: list[SearchStart] = []
    trials: list[CompletedTrial] = []
    result = tune(request_of_shop, on_start=starts.append, on_trial=trials.append)
    assert result.trials == trials
    assert result.new_trials == 4
    assert not result.interrupted
    assert result.best == max(trials, key=lambda trial: trial.metric)
    assert [one.name for one in result.space] == ["ridge"]
    assert result.gain is not None
    assert result.gain.first.mean == pytest.approx(trials[0].metric)
    assert result.gain.gain.mean == pytest.approx(result.best.metric - trials[0].metric)
    (start,) = starts
    assert (start.trained_events, start.ranked_events, start.done) == (240, 120, [])


def test_a_second_run_resumes_the_first(request_of_shop: TuningRequest) -> None:
    first = tune(request_of_shop)
    starts: list[SearchStart] = []
    second = tune(request_of_shop, on_start=starts.append)
    assert second.trials == first.trials == starts[0].done
    assert second.new_trials == 0


def test_ctrl_c_ends_the_search_with_the_trials_so_far(request_of_shop: TuningRequest) -> None:
    def interrupt(trial: CompletedTrial) -> None:
        raise KeyboardInterrupt

    result = tune(request_of_shop, on_trial=interrupt)
    assert result.interrupted
    assert len(result.trials) == 1
    assert result.best == result.trials[0]
    assert result.gain is None
