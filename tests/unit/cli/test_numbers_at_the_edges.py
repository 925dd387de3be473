"""`ope` and `calibrate` with any number in any column: a row is refused by name, or counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import command

EDGES = ("1e-300", "5e-324", "1e200", "-1e308", "nan", "inf", "-inf", "0", "-1", "2", "", "x",
         "1e12", "1e-12", "-0.0", "4,5")  # fmt: skip


def written(path: Path, usual: dict[str, str], column: str, edge: str, rows: int) -> Path:
    lines = [",".join(usual)]
    for number in range(rows):
        cells = {name: text.format(n=number, h=number % 2) for name, text in usual.items()}
        if number % 7 == 0:
            cells[column] = f'"{edge}"'
        lines.append(",".join(cells.values()))
    path.write_text("\n".join(lines) + "\n")
    return path


def said(*arguments: object) -> str:
    done = command.run(arguments)
    assert done.exit_code == 0, done.output
    words = done.output.lower().replace("(", " ").split()
    assert not {"nan", "inf", "-inf"} & set(words), done.output
    return done.output


@pytest.mark.parametrize("column", ["reward", "propensity", "age", "mine"])
@pytest.mark.parametrize("edge", EDGES)
def test_ope_prints_no_nan_whatever_a_column_holds(tmp_path: Path, column: str, edge: str) -> None:
    usual = {"item": "i{h}", "reward": "{h}", "propensity": "0.5", "age": "{n}", "mine": "0.5"}
    log = written(tmp_path / "log.csv", usual, column, edge, 60)
    said("ope", log, "--candidate-column", "mine")
    said("ope", log, "--policy", "softmax", "--context", "age", "--temperature", "1e-300")


@pytest.mark.parametrize("column", ["score", "reward", "position", "at"])
@pytest.mark.parametrize("edge", EDGES)
def test_calibrate_prints_no_nan_whatever_a_column_holds(
    tmp_path: Path, column: str, edge: str
) -> None:
    usual = {"score": "0.{n}", "reward": "{h}", "position": "1", "at": "15000{n}"}
    log = written(tmp_path / "log.csv", usual, column, edge, 100)
    options = ("--time-column", "at", "--output", tmp_path / "out.json")
    said("calibrate", "--impressions", log, *options)


@pytest.mark.parametrize(
    ("column", "edge", "reason"),
    [
        ("propensity", "1e-300", "propensity: below 1e-12"),
        ("reward", "1e200", "reward: expected -1e+12 to 1e+12"),
        ("propensity", "2", "propensity: not in (0, 1]"),
        ("reward", "inf", "reward: not a finite number"),
    ],
)
def test_ope_says_why_rows_are_left_out_before_its_numbers(
    tmp_path: Path, column: str, edge: str, reason: str
) -> None:
    usual = {"item": "i{h}", "reward": "{h}", "propensity": "0.5", "mine": "0.5"}
    log = written(tmp_path / "log.csv", usual, column, edge, 60)
    output = said("ope", log, "--candidate-column", "mine")
    assert f"9 rows: {reason}" in output
    assert output.index("Warning: 9 rows were left out") < output.index("Candidate column")
    assert output.index("Warning: The effective sample size") < output.index("Candidate column")


def test_an_interval_that_one_row_cannot_give_is_a_dash(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("item,reward,propensity,mine\na,1,0.5,0\n")
    lines = said("ope", log, "--candidate-column", "mine").splitlines()
    (row,) = (line.split() for line in lines if line.strip().startswith("SNIPS"))
    assert row == ["SNIPS", "-", "-", "-"]


def test_the_usual_columns_of_a_log_are_found(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = "".join(f"{n % 2},{n % 2},0.5,0.5\n" for n in range(60))
    log.write_text("item_id,click,pscore,mine\n" + rows)
    assert "60 impressions" in said("ope", log, "--candidate-column", "mine")
