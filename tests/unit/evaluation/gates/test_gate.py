"""`gate` from Python: the verdict of the command, and the probes that it freezes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.gate import GateRequest, gate
from penchant.evaluation.gates.probe_file import read_probes
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.replay_log import ReplayLog
from penchant.logs.log_source import LogSource
from tests.support.command import run
from tests.support.shop_log import write_shop
from tests.support.word_encoder import write_word_encoder


@pytest.fixture
def request_of_shop(tmp_path: Path) -> GateRequest:
    """A request whose candidate knows the numbers of the items alone."""
    write_shop(tmp_path)
    texts = [f"{number}" for number in range(30)]
    return GateRequest(
        baseline=tmp_path / "encoder",
        candidate=write_word_encoder(tmp_path / "bad", texts, dimensions=16, seed=3),
        log=ReplayLog(LogSource(tmp_path / "items.csv", tmp_path / "events.csv")),
        validation=Validation(0.5, candidates="all"),
        budgets=Budgets(min_rankings=20, min_users=5),
        freeze_probes=tmp_path / "probes.parquet",
        refresh=False,
    )


def test_a_request_gives_the_verdict_of_the_command(
    request_of_shop: GateRequest, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    log = ["--items", tmp_path / "items.csv", "--events", tmp_path / "events.csv"]
    sides = ["--baseline", tmp_path / "encoder", "--candidate", tmp_path / "bad"]
    enough = ["--min-rankings", "20", "--min-users", "5", "--validation-fraction", "0.5"]
    run(["gate", "--no-refresh", *log, *sides, *enough, "--candidates", "all", "--json", path])
    verdict = gate(request_of_shop)
    assert not verdict.passed
    written = json.loads(path.read_text())
    assert written.pop("made_by").startswith("penchant gate ")
    assert json.loads(verdict.json()) == written
    assert request_of_shop.freeze_probes is not None
    assert len(read_probes(request_of_shop.freeze_probes).ids) == 30
