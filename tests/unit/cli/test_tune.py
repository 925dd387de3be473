"""`penchant tune` on a small log: its output, its errors, and how it resumes after a kill."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import optuna
import pytest

from penchant.tuning.objective import SearchObjective
from tests.support.command import Ran
from tests.support.command import run as run_command
from tests.support.printed_commands import commands_in
from tests.support.shop_log import write_shop

FEW = ("--train-fraction", "0.9", "--parameter", "ridge", "--parameter", "fast_weight")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory of the test's own, into which the result is written."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> list[object]:
    """Options that name the files of a small log; the result is written beside them."""
    return write_shop(tmp_path)


def run(*arguments: object) -> Ran:
    return run_command(["tune", *arguments], columns=80)


def error_of(*arguments: object) -> str:
    """The line of an error that the command foresees."""
    result = run(*arguments)
    assert result.exit_code == 1
    return result.stderr


def trials_of(file: Path) -> list[tuple[dict[str, float], float | None]]:
    study = optuna.load_study(study_name="penchant", storage=f"sqlite:///{file}")
    done = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    return [(dict(trial.params), trial.value) for trial in done]


def test_the_best_settings_are_written_to_a_file_that_the_printed_commands_read(
    shop: list[object],
) -> None:
    output = run(*shop, *FEW, "--trials", "8").output
    assert "8 trials in" in output
    written = tomllib.loads(Path("tuned.toml").read_text())
    assert set(written["settings"]) <= {"ridge", "fast_weight"}
    assert "What mattered" not in output  # Eight trials are too few for that.
    evaluate, serve = commands_in(output)
    assert serve == ["serve", "--config", "tuned.toml"]
    measured = run_command(evaluate)
    assert measured.exit_code == 0, measured.output
    shown = run_command(["config", "show", "--config", "tuned.toml"]).output
    for name, value in written["settings"].items():
        assert re.search(rf"^{name} = {value} +# .*tuned.toml:", shown, re.M), shown


def test_a_setting_given_by_set_is_not_searched(shop: list[object]) -> None:
    run(*shop, *FEW[:2], "--set", "near_weight=0.5", "--trials", "3")
    assert tomllib.loads(Path("tuned.toml").read_text())["settings"]["near_weight"] == 0.5
    assert "--set fixes it" in error_of(*shop, "--set", "ridge=2", "--parameter", "ridge")


def test_an_unknown_parameter_is_refused_with_the_known_ones(shop: list[object]) -> None:
    error = error_of(*shop, "--parameter", "rigde")
    assert re.search(r"--parameter: got 'rigde'.*expected one of: .*ridge", error)


def test_a_log_without_contexts_cannot_inform_their_width(shop: list[object]) -> None:
    error = error_of(*shop, "--parameter", "context_halvings")
    assert "no event has a context; expected columns such as" in error


def test_the_width_of_contexts_is_found_if_tastes_depend_on_them(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, rooms=True)
    storage = tmp_path / "tune.db"
    run(*shop, *FEW[:2], "--parameter", "context_halvings", "--trials", "10", "--storage", storage)
    params, _ = max(trials_of(storage), key=lambda trial: trial[1] or 0.0)
    assert params["context_halvings"] > 0.5


def test_no_trial_starts_without_time(shop: list[object]) -> None:
    result = run(*shop, *FEW, "--minutes", "0")
    assert "Stopped before the first trial was done." in result.output


def test_after_ctrl_c_the_best_so_far_is_shown_and_the_search_can_go_on(
    shop: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, calls = SearchObjective.__call__, 0

    def interrupted(self: SearchObjective, values: dict[str, float]) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return plain(self, values)

    monkeypatch.setattr(SearchObjective, "__call__", interrupted)
    result = run(*shop, *FEW, "--trials", "9", "--storage", tmp_path / "tune.db")
    assert result.exit_code == 128 + signal.SIGINT
    assert "the same command resumes it" in result.output
    assert "penchant serve" in result.output
    assert (
        "Going on: 2 trials are done already"
        in run(*shop, *FEW, "--trials", "3", "--storage", tmp_path / "tune.db").output
    )


KILLED = """
import os, signal, sys
from penchant.tuning.objective import SearchObjective
plain, calls = SearchObjective.__call__, []
def dying(self, values):
    calls.append(values)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, values)
SearchObjective.__call__ = dying
from penchant.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_a_killed_search_resumes_with_the_same_trials(shop: list[object], tmp_path: Path) -> None:
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


def test_a_search_begins_from_the_settings_in_use_and_for_a_refresh_from_those_that_suit_it(
    shop: list[object],
) -> None:
    Path("penchant.toml").write_text("[settings]\nridge = 3\n")
    run(*shop, *FEW, "--refresh", "--trials", "1", "--storage", "tune.db")
    ((params, _),) = trials_of(Path("tune.db"))
    assert params == {"ridge": 3.0, "fast_weight": 6.0}
    written = tomllib.loads(Path("tuned.toml").read_text())
    assert written["settings"] == {"ridge": 3.0, "fast_weight": 6.0}
    assert written["evaluate"]["refresh"] is True


def test_a_gain_whose_interval_holds_zero_is_warned_of(shop: list[object]) -> None:
    output = run(*shop, *FEW, "--trials", "1").output
    assert output.index("the interval of the gain holds zero") < output.index("gain  ")


def test_a_file_that_tune_did_not_write_is_not_replaced(shop: list[object]) -> None:
    Path("penchant.toml").write_text("[settings]\nridge = 3\n")
    assert "is not a result of penchant tune" in error_of(*shop, "--output", "penchant.toml")


@pytest.mark.parametrize("content", ["# mine\n".encode("utf-16"), b"\xff\xfe\0", b"store = 1"])
def test_an_output_that_tune_did_not_write_is_refused_whatever_it_holds(
    shop: list[object], content: bytes
) -> None:
    Path("mine").write_bytes(content)
    assert "mine exists and is not a result of penchant tune" in error_of(*shop, "--output", "mine")
    assert Path("mine").read_bytes() == content
