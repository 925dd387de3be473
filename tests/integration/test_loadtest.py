"""The load test from end to end on a real Triton, its load from two processes of Locust."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest.__main__ import main
from loadtest.traffic import item_text
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server


def test_two_workers_share_the_arrivals_of_a_ramp_and_report_as_one(tmp_path: Path) -> None:
    texts = [item_text(number) for number in range(50)]
    encoder = write_word_encoder(tmp_path / "encoder", texts, 16, seed=1)
    options = ["--world", "games", "--shape", "ramp", "--workers", "2", "--rate", "20"]
    options += ["--duration-s", "3", "--users", "7", "--items", "50", "--visitors", "30"]
    # The thresholds are for a machine that does nothing else.
    for verb in ("recommend", "shown", "started", "played"):
        options += ["--p99-ms", f"{verb}=5000"]
    code = main([*options, "--encoder", str(encoder), "--out", str(tmp_path / "out")])
    report = json.loads((tmp_path / "out" / "loadtest.json").read_text())
    verbs = report["results"]["verbs"]
    assert set(verbs) >= {"recommend", "shown", "started", "played"}
    assert report["results"]["errors"] == {}
    # A ramp from 2 to 20 a second: 33 arrivals in three seconds, each sent by one of the two.
    assert 30 <= sum(one["requests"] for one in verbs.values()) <= 36
    assert code in (0, 1)  # Games are bought so seldom that this verb may be missing.
    assert (tmp_path / "out" / "loadtest.html").is_file()
