"""`penchant ope`, from a file to a table, warnings and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penchant.cli.main import COMMANDS
from tests.support import command
from tests.support.open_bandit import sample_file

OPEN_BANDIT: list[object] = [
    *(sample_file("random", "men"), "--item-column", "item_id", "--reward-column", "click"),
    *("--propensity-column", "propensity_score", "--position-column", "position"),
]


def run(*arguments: object) -> str:
    done = command.run(["ope", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    rows = [
        {"item": "ab"[n % 2], "reward": n % 2, "propensity": 0.5, "mine": (n % 2) * 0.9 + 0.05}
        for n in range(400)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_open_bandit_sample_is_judged_by_every_estimator(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    said = run(*OPEN_BANDIT, "--policy", "uniform", "--json", path)
    numbers = json.loads(path.read_text())
    assert set(numbers["estimates"]) == {"IPS", "SNIPS", "DM", "DR", "switch-DR"}
    assert set(numbers["by_position"]) == {"1", "2", "3"}
    assert numbers["estimates"]["SNIPS"]["value"] == pytest.approx(numbers["logging"]["value"])
    assert "Effective sample size 10000" in said
    assert "clustered by row" in said
    assert "Try next" in said


def test_a_column_of_the_candidate_is_judged_without_a_model(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    said = run(log, "--candidate-column", "mine", "--json", path)
    numbers = json.loads(path.read_text())
    assert set(numbers["estimates"]) == {"IPS", "SNIPS"}
    assert numbers["estimates"]["IPS"]["value"] == pytest.approx(0.95)
    assert "--action-probabilities" in said


def test_a_file_of_probabilities_is_a_candidate(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "candidate.csv"
    path.write_text("action,probability\na,0.05\nb,0.95\n")
    assert "switch-DR" in run(log, "--action-probabilities", path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "name one of"),
        (["--policy", "uniform", "--candidate-column", "mine"], "name one of"),
        (["--policy", "best"], "expected one of uniform, popularity, softmax"),
        (["--policy", "softmax", "--temperature", "0"], "expected a number above 0"),
        (["--policy", "uniform", "--clip", "0"], "--clip: got 0"),
    ],
)
def test_what_does_not_fit_is_said(log: Path, options: list[str], words: str) -> None:
    done = command.run(["ope", log, *options])
    assert done.exit_code == 1
    assert words in done.stderr


def test_what_the_log_cannot_carry_is_said_before_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [{"item": "ab"[n % 2], "reward": 0, "propensity": 1.0, "mine": 0.5} for n in range(40)]
    rows.append({"item": "a", "reward": 1, "propensity": 7.0, "mine": 0.5})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = run(path, "--candidate-column", "mine")
    first_number = said.index("estimator")
    assert said.index("This log can't carry the numbers below:") < first_number
    warnings = [place for place in range(len(said)) if said.startswith("Warning: ", place)]
    assert warnings
    assert max(warnings) < first_number
    assert "1 rows: " in said[:first_number]


def test_a_log_that_carries_them_gets_no_warning(log: Path) -> None:
    assert "Warning" not in run(log, "--candidate-column", "mine")


def test_the_command_is_in_the_table() -> None:
    assert COMMANDS["ope"][0] == "penchant.cli.ope:ope"
