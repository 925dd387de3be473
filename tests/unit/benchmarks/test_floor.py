"""The floor benchmark: rounds, ratios, targets, requests and no-op models."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import calls, floor_models
from benchmarks.rounds import Measure, Series, compare, run
from benchmarks.table import RatioRow, RatioTarget, missed, render, write_json
from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.v1.service_pb2 import Call

REPOSITORY = Path(__file__).parents[3] / "model_repository"
FEEDBACK = calls.CallRecipe("feedback", calls.FEEDBACK_MODEL, users=100, items=1000)
RANK = calls.CallRecipe("rank", calls.RANK_MODEL, users=100, items=1000, candidates=20)


def call_in(body: bytes) -> Call:
    request = kserve_pb2.ModelInferRequest.FromString(body)
    return Call.FromString(request.raw_input_contents[0][4:])


def test_a_target_holds_at_its_bound() -> None:
    assert RatioTarget("<=", 1.6).met(1.6)
    assert not RatioTarget("<=", 1.6).met(1.61)
    assert RatioTarget(">=", 0.6).met(0.6)
    assert not RatioTarget(">=", 0.6).met(0.59)


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    row = compare("a", "ms", Series([2.0, 9.0, 8.0]), Series([1.0, 3.0, 8.0]), "b")
    assert (row.measured, row.peer, row.ratio) == (8.0, 3.0, 2.0)


def test_a_peer_may_be_scaled_and_stand_on_the_floor() -> None:
    row = compare("a", "ms", Series([4.0]), Series([2.0]), "b", factor=1.5, added=Series([1.0]))
    assert (row.peer, row.ratio) == (4.0, 1.0)


def test_every_second_round_runs_in_reverse() -> None:
    order: list[str] = []

    def rate(number: int) -> float:
        order.append("rate")
        return float(number)

    def latency(number: int) -> list[float]:
        order.append("latency")
        return [1.0, 3.0, 5.0]

    measures: dict[str, Measure] = {"rate": rate, "latency": latency}
    series = run(measures, 2, lambda text: None)
    assert order == ["rate", "latency", "latency", "rate"]
    assert series["rate"].rounds == [0.0, 1.0]
    assert series["latency"].rounds == [3.0, 3.0]
    assert series["latency"].quantile(0.99) == 5.0


def test_events_are_new_within_a_run_and_between_seeds() -> None:
    ids = [
        call_in(body).feedback.events[0].event_id
        for seed in (1, 2)
        for body in calls.bodies(FEEDBACK, 300, seed)
    ]
    assert len(set(ids)) == 600


def test_ranks_and_feedback_never_share_a_user() -> None:
    ranked = {call_in(body).rank.user for body in calls.bodies(RANK, 300, 1)}
    fed = {call_in(body).feedback.events[0].user for body in calls.bodies(FEEDBACK, 300, 1)}
    assert not ranked & fed


def test_a_rank_names_distinct_candidates() -> None:
    candidates = call_in(calls.bodies(RANK, 1, 1)[0]).rank.candidates.ids
    assert len(set(candidates)) == 20


def test_a_floor_differs_from_its_model_in_name_backend_and_tensors_alone() -> None:
    ours = (REPOSITORY / "penchant_feedback/config.pbtxt").read_text(encoding="utf-8").splitlines()
    floors = floor_models.config(floor_models.FLOOR_FEEDBACK).splitlines()
    changed = [line for line, other in zip(floors, ours, strict=True) if line != other]
    assert changed == [
        'name: "floor_feedback"',
        'backend: "python"',
        'input [{ name: "REQUEST", data_type: TYPE_FP32, dims: [ 1 ] }]',
        'output [{ name: "REPLY", data_type: TYPE_FP32, dims: [ 1 ] }]',
    ]


def test_floors_are_written_with_code_that_compiles(tmp_path: Path) -> None:
    floor_models.write(tmp_path)
    for model in floor_models.ALL:
        compile((tmp_path / model.name / "1/model.py").read_text(), model.name, "exec")
        assert (tmp_path / model.name / "config.pbtxt").is_file()


ROWS = [
    RatioRow(
        "rank", 1.0, "ms", peer=0.5, peer_name="floor", ratio=2.0, target=RatioTarget("<=", 1.6)
    ),
    RatioRow("feedback", 900.0, "/s", peer=1800.0, ratio=0.5, target=RatioTarget(">=", 0.4)),
    RatioRow("floor", 0.5, "ms", p99=2.0),
]


def test_missed_targets_are_named() -> None:
    assert missed(ROWS) == ["rank"]


def test_the_table_and_the_file_agree(tmp_path: Path) -> None:
    out = io.StringIO()
    render(ROWS, ["two cores"], Console(file=out, width=120))
    assert "floor 0.500 ms" in out.getvalue()
    assert "- two cores" in out.getvalue()
    write_json(tmp_path / "new" / "bench.json", ROWS, ["two cores"])
    content = json.loads((tmp_path / "new" / "bench.json").read_text(encoding="utf-8"))
    assert [row["met"] for row in content["rows"]] == [False, True, None]
    assert content["rows"][0]["target"] == "<= 1.6"


def test_a_wrong_answer_is_refused() -> None:
    empty = kserve_pb2.ModelInferResponse(raw_output_contents=[b"\0\0\0\0"]).SerializeToString()
    with pytest.raises(ValueError, match="expected 10, warm"):
        calls.check(RANK, empty)
