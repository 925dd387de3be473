"""The demo from end to end, with few users and ratings, on a real Triton."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.movielens import needs_movielens
from tests.support.serve_process import wait_until

pytestmark = [pytest.mark.server, needs_movielens]

# The clock refreshes twice: before the first rating, and after 14,000.
FEW = ["--users", "15", "--ratings", "16000"]
COMMAND = [sys.executable, "-m", "penchant.cli.main", "demo", *FEW]


def left_over(directory: Path) -> list[str]:
    """Processes that still work in the demo's directory, and what it left there."""
    processes = [
        " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
        if str(directory) in " ".join(process.info["cmdline"] or ())
    ]
    return processes + [path.name for path in (directory / ".penchant").glob("demo-*")]


def tidied_up(directory: Path) -> None:
    """Waits until nothing is left: models that Triton left end a moment after it."""
    wait_until(lambda: left_over(directory) == [], "the end of all")


@pytest.mark.timeout(1800)
def test_the_demo_shows_that_feedback_helps_and_tidies_up(tmp_path: Path) -> None:
    run = subprocess.run(
        COMMAND, cwd=tmp_path, capture_output=True, text=True, timeout=1500, check=False
    )
    assert run.returncode == 0, run.stderr
    for words in ("Triton is up", "popularity", "Latency", "Try next"):
        assert words in run.stdout
    results = json.loads((tmp_path / "out" / "demo.json").read_text())
    *_, many = results["bands"]
    assert many["earlier_feedbacks"] == "21+"
    assert many["rankings"] > 100
    assert many["recall_ratio"] >= 1.2
    assert (tmp_path / "out" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    tidied_up(tmp_path)

    # Again, now with the encoder there, and cut off while the films are registered.
    process = subprocess.Popen(
        COMMAND, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if "Triton is up" in line:
                os.kill(process.pid, signal.SIGINT)
                break
        rest = process.stdout.read()
        process.wait(60)
    assert process.returncode == 130, rest
    assert "the server is down" in rest
    assert "Traceback" not in rest
    tidied_up(tmp_path)
