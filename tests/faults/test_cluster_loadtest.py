"""The load test of two servers on six Valkey nodes reports, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

PATIENCE_S = 300.0


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    encoder = write_word_encoder(tmp_path / "encoder", ["film"], dimensions=4, seed=1)
    return [
        *(sys.executable, "-m", "loadtest", "--cluster", "--encoder", str(encoder)),
        *("--items", "30", "--visitors", "50", "--users", "8", "--rate", "8"),
        *("--duration-s", "3", "--out", str(tmp_path / "out")),
        *("--p99-ms", "rank=60000", "--p99-ms", "feedback=60000"),
    ]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        for child in _family(process):
            child.kill()
        process.kill()
        process.wait()


def test_a_run_reports_each_server_and_finds_every_acknowledged_event(
    command: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: a slow machine.
    report = json.loads((tmp_path / "out" / "loadtest-cluster.json").read_text())
    assert {"rank, server 1", "rank, server 2"} <= set(report["results"]["verbs"])
    kept = report["kept"]
    assert kept["acknowledged"] > 0
    assert (kept["lost"], kept["doubled"], kept["counted"]) == (0, 0, kept["events"])
    assert done.returncode == bool(report["broken"])
    assert (tmp_path / "out" / "loadtest-cluster.html").exists()


def test_ctrl_c_ends_every_process_that_was_started(
    command: list[str], processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    restored = ["env", "--default-signal=INT", *command, "--duration-s", "600"]
    process = subprocess.Popen(restored, stdout=subprocess.DEVNULL, start_new_session=True)
    processes.append(process)
    _wait_until(lambda: any("locustfile" in one for one in _names(process)), "the load")
    # A node that has just begun to write its files has a child, which is called as it is at first.
    _wait_until(lambda: sum("valkey-server" in one for one in _names(process)) == 6, "six nodes")
    family = _family(process)
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE_S)
    _wait_until(lambda: not any(child.is_running() for child in family), "the end of all")


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _names(process: subprocess.Popen[bytes]) -> list[str]:
    found = []
    for child in _family(process):
        try:
            found.append(" ".join(child.cmdline()))
        except psutil.Error:
            continue
    return found


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"expected {what} within {PATIENCE_S:g} s"
        time.sleep(0.1)
