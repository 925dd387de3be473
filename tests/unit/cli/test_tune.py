"""`penchant tune` on a small log: what it prints and refuses, and that a kill loses nothing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import typer
from typer.testing import CliRunner, Result

from penchant.cli.tune import tune
from penchant.domain.errors import ConfigError
from penchant.tuning.objective import Objective
from tests.support.shop_log import write_shop

APP = typer.Typer(add_completion=False)
APP.command()(tune)
FEW = ("--train-fraction", "0.9", "--parameter", "ridge", "--parameter", "fast_weight")


@pytest.fixture
def shop(tmp_path: Path) -> list[object]:
    """The options that name a small log's files."""
    return write_shop(tmp_path)


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(APP, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def trials_of(file: Path) -> list[tuple[dict[str, float], float | None]]:
    study = optuna.load_study(study_name="penchant", storage=f"sqlite:///{file}")
    done = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    return [(dict(trial.params), trial.value) for trial in done]


def test_the_best_settings_come_as_options_that_other_commands_take(shop: list[object]) -> None:
    output = run(*shop, *FEW, "--trials", "8").output
    assert "8 trials in" in output
    assert re.search(r"^penchant serve( --set (ridge|fast_weight)=[0-9.]+)+$", output, re.M)
    assert "penchant evaluate ..." in output
    assert "What mattered" not in output  # Of eight trials nobody can tell.


def test_what_set_fixes_is_not_searched(shop: list[object]) -> None:
    output = run(*shop, *FEW[:2], "--set", "near_weight=0.5", "--trials", "3").output
    assert "penchant serve --set near_weight=0.5" in output
    with pytest.raises(ConfigError, match="--set fixes it"):
        run(*shop, "--set", "ridge=2", "--parameter", "ridge")


def test_an_unknown_parameter_is_refused_with_those_there_are(shop: list[object]) -> None:
    with pytest.raises(ConfigError, match=r"--parameter: got 'rigde'.*expected one of: .*ridge"):
        run(*shop, "--parameter", "rigde")


def test_a_log_without_contexts_says_nothing_of_their_width(shop: list[object]) -> None:
    with pytest.raises(ConfigError, match="no event has a context; expected columns such as"):
        run(*shop, "--parameter", "context_halvings")


def test_the_width_of_contexts_is_learnt_where_contexts_tell_tastes_apart(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, rooms=True)
    storage = tmp_path / "tune.db"
    run(*shop, *FEW[:2], "--parameter", "context_halvings", "--trials", "10", "--storage", storage)
    params, _ = max(trials_of(storage), key=lambda trial: trial[1] or 0.0)
    assert params["context_halvings"] > 0.5


def test_no_time_makes_no_trial(shop: list[object]) -> None:
    result = run(*shop, *FEW, "--minutes", "0")
    assert "Stopped before the first trial was done." in result.output


def test_ctrl_c_says_how_to_go_on_and_shows_the_best_so_far(
    shop: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = Objective.__call__, 0

    def interrupted(self: Objective, values: dict[str, float]) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return plain(self, values)

    monkeypatch.setattr(Objective, "__call__", interrupted)
    result = run(*shop, *FEW, "--trials", "9", "--storage", tmp_path / "tune.db")
    assert result.exit_code == 128 + signal.SIGINT
    assert "the same command goes on" in result.output
    assert "penchant serve" in result.output
    assert (
        "Going on: 2 trials are done already"
        in run(*shop, *FEW, "--trials", "3", "--storage", tmp_path / "tune.db").output
    )


KILLED = """
import os, signal, sys
from penchant.tuning.objective import Objective
plain, calls = Objective.__call__, []
def dying(self, values):
    calls.append(values)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, values)
Objective.__call__ = dying
from penchant.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_search_that_was_killed_makes_the_trials_that_it_would_have_made(
    shop: list[object], tmp_path: Path
) -> None:
    cut, whole = tmp_path / "cut.db", tmp_path / "whole.db"
    options = [str(option) for option in (*shop, *FEW, "--trials", "6", "--storage")]
    command = [sys.executable, "-c", KILLED, "tune", *options, str(cut)]
    process = subprocess.run(command, capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert len(trials_of(cut)) == 3
    run(*options, cut)
    run(*options, whole)
    assert trials_of(cut) == trials_of(whole)
    assert len(trials_of(cut)) == 6
