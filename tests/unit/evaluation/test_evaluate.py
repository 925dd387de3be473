"""`evaluate` from Python: the numbers of the command, its callbacks, and the slow clock."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.types import Matrix
from penchant.evaluation.evaluate import EvaluationRequest, evaluate
from penchant.evaluation.evaluation_origin import origin_of
from penchant.evaluation.evaluation_report import numbers
from penchant.evaluation.model_settings import ModelSettings
from penchant.evaluation.replay_log import ReplayLog
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.log_source import LogSource
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream
from penchant.report.page import as_json
from tests.support.command import run
from tests.support.shop_log import ITEMS, write_shop


@pytest.fixture
def request_of_shop(tmp_path: Path) -> EvaluationRequest:
    """A request for a small log, with one baseline."""
    write_shop(tmp_path)
    return EvaluationRequest(
        log=ReplayLog(LogSource(tmp_path / "items.csv", tmp_path / "events.csv"), "rating>=4"),
        model=ModelSettings(tmp_path / "encoder", ("fast_weight=2",)),
        baselines=("popularity",),
        replay=ReplayConfig(candidates="all"),
        ks=(1, 5),
    )


def test_a_request_gives_the_numbers_of_the_command(
    request_of_shop: EvaluationRequest, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    log = ["--items", tmp_path / "items.csv", "--events", tmp_path / "events.csv"]
    model = ["--encoder", tmp_path / "encoder", "--set", "fast_weight=2"]
    protocol = ["--candidates", "all", "--relevant", "rating>=4", "--k", "5,1"]
    run(["evaluate", *log, *model, *protocol, "--peers", "popularity", "--json", path])
    by_command = json.loads(path.read_text())
    evaluation = evaluate(request_of_shop)
    origin = origin_of(request_of_shop, evaluation.stream)
    by_function = json.loads(as_json(numbers(evaluation, origin, 1.0)))
    for name in ("overall", "by_earlier", "by_item_age", "behind_first", "coverage", "gini"):
        for one, other in zip(by_command["contenders"], by_function["contenders"], strict=True):
            assert one[name] == other[name]
    for facts in (by_function["facts"], by_command["facts"]):
        assert facts.pop("seconds") > 0
    assert by_function["facts"] == by_command["facts"]


def test_the_log_and_each_step_are_reported(request_of_shop: EvaluationRequest) -> None:
    logs: list[tuple[int, str]] = []
    steps: dict[str, list[float]] = {}

    def on_log(stream: Stream, left_out: LeftOut, hits: str) -> None:
        logs.append((len(stream.events), hits))

    def on_step(step: str, done: float) -> None:
        steps.setdefault(step, []).append(done)

    evaluate(request_of_shop, on_log=on_log, progress=on_step)
    assert logs == [(400, "rating>=4")]
    *first, fits, last = steps
    assert first == ["Reading the log", "Encoding 30 texts", "Penchant"]
    assert re.fullmatch(r"Penchant: fitting \d+ times", fits)  # Most of the time goes into it.
    assert last == "popularity"
    for shares in steps.values():
        assert (shares[0], shares[-1]) == (0.0, 1.0)
        assert shares == sorted(shares)


class TwoTrainings:
    """A slow clock that returns random vectors at the first two fits."""

    dimensions = 4

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, stream: Stream, until: int) -> Matrix | None:
        self.calls.append(until)
        if len(self.calls) > 2:
            return None
        return np.random.default_rng(until).standard_normal((ITEMS, 4)).astype(np.float32)


def test_a_slow_clock_replaces_the_encoder_when_it_is_due(tmp_path: Path) -> None:
    write_shop(tmp_path)
    clock = TwoTrainings()
    evaluation = evaluate(
        EvaluationRequest(
            log=ReplayLog(LogSource(tmp_path / "items.csv", tmp_path / "events.csv")),
            model=ModelSettings(Path("/no/encoder/is/read")),
            replay=ReplayConfig(refresh_every=100, candidates="all"),
            slow_clock=clock,
        )
    )
    assert clock.calls == [120, 220, 320]
    assert evaluation.results[0].finetuned_at == [120, 220]
