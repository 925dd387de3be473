"""The text, the table and the JSON of a verdict."""

from __future__ import annotations

import json
import math

from penchant.evaluation.gates.verdict import Finding, GateOutcome, Verdict

FINE = Finding(
    "validation",
    "all rankings",
    "NDCG@10",
    GateOutcome.PASSED,
    0.1,
    0.1,
    0.0,
    0,
    0,
    0.01,
    5000,
    300,
)
SMALL = Finding(
    "cohorts",
    "heavy users",
    "NDCG@10",
    GateOutcome.REFUSED,
    0.1,
    0.09,
    0.1,
    -0.2,
    -0.01,
    0.03,
    900,
    40,
)
NEW = Finding(
    gate="cohorts",
    cohort="new users",
    metric="NDCG@10",
    outcome=GateOutcome.REFUSED,
    baseline=0.081,
    candidate=0.043,
    loss=1 - 0.043 / 0.081,
    low=-0.06,
    high=-0.02,
    budget=0.03,
    rankings=412,
    users=120,
)
FILE = Finding("integrity", "encoder.onnx", "SHA-256", GateOutcome.REFUSED, note="is another file")
FEW = Finding(
    "cohorts", "new items", "NDCG@10", GateOutcome.NOT_JUDGED, note="too few to judge: ..."
)


def test_a_refusal_names_the_worst_cohort_with_its_figures() -> None:
    verdict = Verdict((FINE, SMALL, NEW))
    assert not verdict.passed
    assert verdict.text() == (
        "gate: refused: new users: NDCG@10 fell from 0.081 to 0.043 "
        "(47 % lost, budget 3 %, 412 rankings); and 1 more"
    )


def test_a_wrong_file_comes_first() -> None:
    assert Verdict((NEW, FILE)).refused == (FILE, NEW)
    assert Verdict((FILE,)).text() == "gate: refused: encoder.onnx: is another file"


def test_a_pass_counts_findings_that_were_not_judged() -> None:
    assert Verdict((FINE, FEW)).text() == "gate: passed: 1 within budget, 1 not judged"
    assert Verdict((FINE, FEW)).passed


def test_json_holds_every_figure_and_null_for_missing_ones() -> None:
    content = json.loads(Verdict((NEW, FEW)).json())
    assert content["passed"] is False
    assert content["findings"][0]["loss"] == NEW.loss
    assert content["findings"][0]["outcome"] == "refused"
    assert content["findings"][1]["baseline"] is None
    assert math.isnan(FEW.baseline)


def test_the_table_has_one_row_per_finding_in_order() -> None:
    table = Verdict((FINE, NEW, FEW, FILE)).table()
    assert [row[0] for row in table.rows] == [one.cohort for one in (FINE, NEW, FEW)] + [
        "encoder.onnx, SHA-256"
    ]
    assert table.rows[1][1:] == ["0.081", "0.043", "47 %", "3 %", "412", "refused"]
    assert table.rows[2][1:] == ["–", "–", "–", "–", "–", "not judged"]
