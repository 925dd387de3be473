"""Impressions are read, models fitted on the other folds, policies made, and warnings given."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.evaluation.ope import action_probabilities, policies
from penchant.evaluation.ope.logged_impressions import (
    ImpressionColumns,
    LoggedImpressions,
    read_impressions,
)
from penchant.evaluation.ope.policies import RewardModelSettings
from penchant.evaluation.ope.policy_value import (
    CandidatePolicy,
    EstimatorSettings,
    PolicyEstimates,
    estimate_value,
)
from penchant.evaluation.ope.reward_model import cross_fit, folds_of
from penchant.logs.open_table import open_table

COLUMNS = ImpressionColumns(position="slot", user="user", context=("device", "age"))
HEADING = ["item", "reward", "propensity", "slot", "user", "device", "age"]


def read(
    tmp_path: Path, rows: list[list[object]], columns: ImpressionColumns = COLUMNS
) -> LoggedImpressions:
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADING, *rows])
    table = open_table(path)
    try:
        return read_impressions(table, columns)
    finally:
        table.close()


def uniform_log(rows: int = 2000, seed: int = 1) -> list[list[object]]:
    random = np.random.default_rng(seed)
    rates = {"a": 0.1, "b": 0.3, "c": 0.6}
    log: list[list[object]] = []
    for number in range(rows):
        item = "abc"[random.integers(3)]
        reward = int(random.random() < rates[item])
        log.append([item, reward, 1 / 3, number % 2, f"u{number // 4}", "phone", 30 + number % 9])
    return log


def judge(log: LoggedImpressions, policy: str, temperature: float = 0.01) -> PolicyEstimates:
    candidate, q = policies.from_policy(log, policy, RewardModelSettings(temperature=temperature))
    return estimate_value(log, candidate, q, EstimatorSettings())


def test_rows_that_can_not_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    good: list[object] = ["a", 1, 0.5, 1, "u", "phone", 30]
    bad = [
        ["a", 1, 0, 1, "u", "phone", 30],
        ["a", 1, "", 1, "u", "phone", 30],
        ["a", "", 0.5, 1, "u", "phone", 30],
        ["", 1, 0.5, 1, "u", "phone", 30],
    ]
    log = read(tmp_path, [good, *bad])
    assert len(log.action) == 1
    assert dict(log.left_out) == {
        "propensity: not in (0, 1] (first: row 2, line 3: got '0')": 1,
        "propensity: missing (first: row 3, line 4: got '')": 1,
        "reward: missing (first: row 4, line 5: got '')": 1,
        "item: column 'item' is empty (first: row 5, line 6)": 1,
    }


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no column is named 'clicked'"):
        read(tmp_path, [["a", 1, 0.5, 1, "u", "phone", 30]], replace(COLUMNS, reward="clicked"))


def test_no_user_is_in_two_folds(tmp_path: Path) -> None:
    log = read(tmp_path, uniform_log(200))
    fold = folds_of(log.cluster, 5, seed=1)
    assert all(len(set(fold[log.cluster == user])) == 1 for user in set(log.cluster))
    assert set(fold) == set(range(5))


def test_no_row_is_judged_by_a_model_or_a_policy_that_saw_its_reward(tmp_path: Path) -> None:
    log = read(tmp_path, uniform_log(300))
    fold = folds_of(log.cluster, 3, seed=1)
    held = fold == 0
    other = replace(log, reward=np.where(held, 1 - log.reward, log.reward))
    np.testing.assert_array_equal(cross_fit(log, fold)[held], cross_fit(other, fold)[held])
    assert (cross_fit(log, fold)[~held] != cross_fit(other, fold)[~held]).any()
    np.testing.assert_array_equal(
        action_probabilities.popularity(log, fold)[held],
        action_probabilities.popularity(other, fold)[held],
    )


@pytest.mark.parametrize("policy", action_probabilities.POLICIES)
def test_every_policy_gives_probabilities(tmp_path: Path, policy: str) -> None:
    log = read(tmp_path, uniform_log(300))
    candidate, q = policies.from_policy(log, policy, RewardModelSettings())
    assert candidate.everywhere is not None
    assert candidate.everywhere.shape == q.shape == (300, 3)
    np.testing.assert_allclose(candidate.everywhere.sum(axis=1), 1.0)


def test_a_greedy_policy_is_worth_the_best_actions_rate(tmp_path: Path) -> None:
    outcome = judge(read(tmp_path, uniform_log()), "softmax")
    for name in ("IPS", "SNIPS", "DM", "DR"):
        assert outcome.estimates[name].value == pytest.approx(0.6, abs=0.07), name
    assert outcome.logging.value == pytest.approx(1 / 3, abs=0.05)
    assert outcome.warnings == []
    assert outcome.clustered_by == "user"
    assert set(outcome.by_position) == {"0", "1"}


def test_the_uniform_policy_on_its_own_log_is_worth_the_logs_mean(tmp_path: Path) -> None:
    outcome = judge(read(tmp_path, uniform_log()), "uniform")
    assert outcome.estimates["IPS"].value == pytest.approx(outcome.logging.value)
    assert outcome.diagnostics.effective_sample_size == pytest.approx(2000)


def test_rewards_that_are_no_zeros_and_ones_take_a_linear_model(tmp_path: Path) -> None:
    rows = [[item, 10.0 * float(str(r)), *rest] for item, r, *rest in uniform_log(600)]
    outcome = judge(read(tmp_path, rows), "softmax", temperature=0.1)
    assert outcome.estimates["DR"].value == pytest.approx(6.0, abs=1.0)


def test_a_file_of_probabilities_is_taken_by_impression_then_position(tmp_path: Path) -> None:
    log = read(tmp_path, uniform_log(4), replace(COLUMNS, impression="user"))
    found = {
        ("", "0", "a"): 1.0,
        ("", "1", "b"): 0.5,
        ("", "1", "d"): 0.5,
        ("u9", "", "a"): 1.0,
    }
    log = action_probabilities.with_actions(log, found)
    matrix = action_probabilities.spread(log, found)
    assert log.actions[-1] == "d"
    assert matrix[0, 0] == 1.0
    assert matrix[1].max() == 0.5
    assert action_probabilities.spread(replace(log, impression=("u9",) * 4), found)[1, 0] == 1.0


def test_probabilities_that_do_not_sum_to_one_are_refused(tmp_path: Path) -> None:
    log = read(tmp_path, uniform_log(4))
    with pytest.raises(ConfigError, match=r"sum to 0\.4000, expected 1"):
        action_probabilities.spread(
            action_probabilities.with_actions(log, {("", "", "a"): 0.4}), {("", "", "a"): 0.4}
        )


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("propensity", 1.0, "was certain of 100%"),
        ("propensity", 0.9, "weights' mean is"),
        ("reward", 0.0, "Only 0 rewards count"),
    ],
)
def test_a_log_that_can_not_tell_is_said_to_be_so(
    tmp_path: Path, field: str, value: float, words: str
) -> None:
    log = read(tmp_path, uniform_log(1000))
    filled = np.full(1000, value)
    other = (
        replace(log, propensity=filled) if field == "propensity" else replace(log, reward=filled)
    )
    assert any(words in warning for warning in judge(other, "uniform").warnings)


def test_few_effective_rows_and_heavy_weights_are_warned_of(tmp_path: Path) -> None:
    log = read(tmp_path, uniform_log(1000))
    shown = np.where(np.arange(1000) < 5, 1.0, 0.001)
    warnings = estimate_value(
        log, CandidatePolicy("column", shown), None, EstimatorSettings()
    ).warnings
    assert any("effective sample size" in warning for warning in warnings)
    assert any("largest 1 %" in warning for warning in warnings)


def test_actions_that_were_never_shown_are_warned_of(tmp_path: Path) -> None:
    found = {("", "", "a"): 0.5, ("", "", "new"): 0.5}
    log, candidate, q = policies.from_file(
        read(tmp_path, uniform_log(900)), found, RewardModelSettings()
    )
    warnings = estimate_value(log, candidate, q, EstimatorSettings()).warnings
    assert any("50.0% of the candidate's choices" in warning for warning in warnings)


def test_fewer_users_than_folds_are_refused(tmp_path: Path) -> None:
    log = read(tmp_path, uniform_log(8))
    with pytest.raises(ConfigError, match="2 users are fewer than 5 folds"):
        policies.from_policy(log, "popularity", RewardModelSettings())


@pytest.mark.parametrize("written", ["0,5", "1.234,5", "yes", "NA", "inf"])
@pytest.mark.parametrize("column", ["reward", "propensity"])
def test_a_number_that_is_none_is_refused_with_its_row_line_and_cell(
    tmp_path: Path, column: str, written: str
) -> None:
    cells = {"item": "a", "reward": "1", "propensity": "0.5", column: written}
    path = tmp_path / "log.csv"
    path.write_text("item;reward;propensity\n" + ";".join(cells.values()) + "\n")
    with (
        open_table(path) as table,
        pytest.raises(
            ConfigError,
            match=rf"{column}: not a finite number \(first: row 1, line 2: got '{written}'",
        ) as refusal,
    ):
        read_impressions(table, ImpressionColumns())
    assert ("decimal point" in str(refusal.value)) is ("," in written)


def test_ids_are_read_as_every_other_command_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("item,reward,propensity\n12.0,1,0.5\n 12,1,0.5\nnan,1,0.5\n")
    with open_table(path) as table:
        log = read_impressions(table, ImpressionColumns())
    assert (log.actions, log.left_out.total()) == (("12",), 1)
